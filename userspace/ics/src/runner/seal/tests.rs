use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use rustls::ConnectionTrafficSecrets;
use rustls::crypto::cipher::{AeadKey, Iv};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{CONTENT, HEADER, Opener, Sealed, Sealer, TAG, Whole};
use crate::runner::tls::{Identity, Tls};

fn secrets(next: u64) -> (u64, ConnectionTrafficSecrets) {
    let (key, iv) = (AeadKey::from([7; 32]), Iv::from([9; 12]));
    (next, ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv })
}

fn ends() -> (Sealer, Opener) {
    let sealer = Sealer::new(secrets(3)).unwrap();
    (sealer, Opener::new(secrets(3)).unwrap())
}

fn sealed(sealer: &mut Sealer, pieces: &[Vec<u8>]) -> BytesMut {
    let mut out = BytesMut::new();
    let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece));
    sealer.seal(pieces, &mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_sealed_is_opened_however_it_comes(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40_000), 0..6),
        steps in prop::collection::vec(1_usize..30_000, 1..8),
    ) {
        let (mut sealer, mut opener) = ends();
        let wire = sealed(&mut sealer, &pieces);
        let (mut buffer, mut sealed, mut at) = (BytesMut::new(), 0, 0);
        for step in steps.iter().cycle() {
            let step = (*step).min(wire.len() - at);
            if step == 0 {
                break;
            }
            buffer.extend_from_slice(&wire[at..at + step]);
            (at, sealed) = (at + step, sealed + step);
            opener.open(&mut buffer, &mut sealed).unwrap();
            prop_assert!(sealed < HEADER + CONTENT + 1 + TAG);
            prop_assert_eq!(&buffer[buffer.len() - sealed..], &wire[at - sealed..at]);
        }
        prop_assert_eq!(sealed, 0);
        prop_assert_eq!(&buffer[..], pieces.concat());
    }

    #[test]
    fn what_was_changed_on_its_way_is_refused(
        piece in prop::collection::vec(any::<u8>(), 1..200),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let (mut sealer, mut opener) = ends();
        let mut wire = sealed(&mut sealer, &[piece]);
        let mut sealed = wire.len();
        let place = place.index(sealed);
        wire[place] ^= 1_u8 << bit;
        // A length that is larger now leaves it waiting for more.
        if let Ok(()) = opener.open(&mut wire, &mut sealed) {
            prop_assert!(place == 3 || place == 4);
            prop_assert_eq!(sealed, wire.len(), "nothing was opened");
        }
    }

    #[test]
    fn noise_is_refused_or_waits(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        let (_, mut opener) = ends();
        let (mut buffer, mut sealed) = (BytesMut::from(&noise[..]), noise.len());
        if opener.open(&mut buffer, &mut sealed).is_ok() {
            prop_assert_eq!(sealed, noise.len());
        }
    }
}

#[test]
fn a_record_that_comes_again_or_too_early_is_refused() {
    let (mut sealer, mut opener) = ends();
    let records: Vec<BytesMut> = (1..=3)
        .map(|n| sealed(&mut sealer, &[vec![n; 9]]))
        .collect();
    let mut open = |record: &BytesMut| {
        let (mut buffer, mut sealed) = (record.clone(), record.len());
        opener.open(&mut buffer, &mut sealed)
    };
    open(&records[0]).unwrap();
    open(&records[0]).unwrap_err();
    let (_, mut opener) = ends();
    let (mut buffer, mut sealed) = (records[1].clone(), records[1].len());
    opener.open(&mut buffer, &mut sealed).unwrap_err();
}

#[test]
fn a_key_seals_no_more_than_it_may() {
    let (mut sealer, _) = ends();
    let mut out = BytesMut::new();
    sealer.wear_out();
    let piece = Bytes::from_static(b"one more");
    sealer.seal([piece], &mut out).unwrap_err();
}

#[test]
fn nothing_comes_after_an_end() {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    let (_, mut opener) = ends();
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).unwrap());
    let mut nonce = [9; 12];
    nonce[11] ^= 3;
    let mut content = vec![1, 0, super::ALERT];
    let header = [23, 3, 3, 0, 3 + TAG as u8];
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(header), &mut content)
        .unwrap();
    let mut buffer = BytesMut::from(&header[..]);
    buffer.extend_from_slice(&content);
    buffer.extend_from_slice(b"and more");
    let mut sealed = buffer.len();
    opener.open(&mut buffer, &mut sealed).unwrap();
    assert!(opener.is_closed());
    assert_eq!((&buffer[..], sealed), (&b"and more"[..], 8));
}

/// Much more than a record, and not the same everywhere.
fn text(seed: u8) -> Vec<u8> {
    (0..100_000_u32).map(|n| n as u8 ^ seed).collect()
}

/// Sends one text and reads the other.
async fn exchange<S>(stream: S, sends: u8, reads: u8)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite,
{
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        writing.write_all(&text(sends)).await.unwrap();
        writing.flush().await.unwrap();
    };
    let read = async {
        let mut read = vec![0; text(reads).len()];
        reading.read_exact(&mut read).await.unwrap();
        assert!(read == text(reads));
    };
    tokio::join!(write, read);
}

#[tokio::test]
async fn rustls_at_the_other_end_notices_nothing() {
    let (dials, listens) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let key = dials.fingerprint();
    let connector = Tls::new(&dials).unwrap().connector(listens.fingerprint());
    let acceptor = Tls::new(&listens).unwrap();
    let acceptor = acceptor.acceptor(std::sync::Arc::new(move |known| *known == key));
    let (connector, acceptor) = (connector.unwrap(), acceptor.unwrap());
    for ours in ["none", "dials", "listens", "both"] {
        let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(3_000);
        let dial = async {
            let shaken = connector
                .connect(Tls::name(), Whole::new(near))
                .await
                .unwrap();
            if ["dials", "both"].contains(&ours) {
                let (stream, session) = shaken.into_inner();
                let secrets = rustls::ClientConnection::dangerous_extract_secrets;
                exchange(Sealed::new(stream, session, secrets).unwrap(), 1, 2).await;
            } else {
                exchange(shaken, 1, 2).await;
            }
        };
        let listen = async {
            let shaken = acceptor.accept(Whole::new(far)).await.unwrap();
            if ["listens", "both"].contains(&ours) {
                let (stream, session) = shaken.into_inner();
                let secrets = rustls::ServerConnection::dangerous_extract_secrets;
                exchange(Sealed::new(stream, session, secrets).unwrap(), 2, 1).await;
            } else {
                exchange(shaken, 2, 1).await;
            }
        };
        tokio::join!(dial, listen);
    }
}
