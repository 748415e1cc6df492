//! What a handshake has made.

use rustls::{ConnectionTrafficSecrets, Error};
use ssi_records::{Cipher, Traffic};

/// The key of one direction, which has sealed `next` records already.
pub(super) fn traffic((next, secrets): (u64, ConnectionTrafficSecrets)) -> Result<Traffic, Error> {
    let (cipher, key, iv) = match &secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Cipher::Aes128Gcm, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Cipher::Aes256Gcm, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
            (Cipher::ChaCha20Poly1305, key, iv)
        }
        _ => return Err(Error::General("a cipher that nobody offered".into())),
    };
    let traffic = Traffic::new(cipher, key.as_ref(), iv.as_ref(), next);
    traffic.map_err(|broken| Error::General(broken.to_string()))
}
