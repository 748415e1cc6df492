use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{Sealed, Whole};
use crate::runner::tls::{Identity, Tls};

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
