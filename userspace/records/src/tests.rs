use bytes::BytesMut;
use proptest::prelude::*;

use crate::{Broken, CONTENT, Cipher, HEADER, Opener, Sealer, Secret, TAG, Traffic};

fn traffic() -> Traffic {
    Traffic::new(Cipher::ChaCha20Poly1305, &[7; 32], &[9; 12], 3).unwrap()
}

fn ends() -> (Sealer, Opener) {
    (Sealer::new(traffic()), Opener::new(traffic()))
}

fn sealed(sealer: &mut Sealer, pieces: &[Vec<u8>]) -> BytesMut {
    let mut out = BytesMut::new();
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
    assert_eq!(sealer.seal([b"one more"], &mut out), Err(Broken::WornOut));
}

#[test]
fn a_secret_s_next_key_comes_at_both_ends_alike() {
    for cipher in [Cipher::Aes128Gcm, Cipher::ChaCha20Poly1305] {
        let traffic = || Traffic::of(cipher, Secret::new([5; 32])).unwrap();
        let (mut sealer, mut opener) = (Sealer::new(traffic()), Opener::new(traffic()));
        for round in 0..3_u8 {
            let mut wire = sealed(&mut sealer, &[vec![round; 9]]);
            let mut again = wire.clone();
            let mut left = wire.len();
            opener.open(&mut wire, &mut left).unwrap();
            assert_eq!((&wire[..], left), (&[round; 9][..], 0));
            // Who has the first key only can't read what comes later.
            let (mut first, mut left) = (Opener::new(traffic()), again.len());
            assert_eq!(first.open(&mut again, &mut left).is_ok(), round == 0);
            sealer.wear_out();
            opener.wear_out();
        }
    }
}

#[test]
fn a_farewell_is_the_end() {
    let (mut sealer, mut opener) = ends();
    let mut wire = sealed(&mut sealer, &[b"the last".to_vec()]);
    sealer.close(&mut wire).unwrap();
    let mut left = wire.len();
    opener.open(&mut wire, &mut left).unwrap();
    assert_eq!((&wire[..], left), (&b"the last"[..], 0));
    assert!(opener.is_closed());
}

#[test]
fn nothing_comes_after_an_end() {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    let (_, mut opener) = ends();
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).unwrap());
    let mut nonce = [9; 12];
    nonce[11] ^= 3;
    let mut content = vec![1, 0, crate::ALERT];
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
