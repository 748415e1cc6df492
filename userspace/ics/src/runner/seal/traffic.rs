//! The key of one direction.

use ring::aead::{AES_128_GCM, AES_256_GCM, Algorithm, CHACHA20_POLY1305, LessSafeKey};
use ring::aead::{NONCE_LEN, Nonce, UnboundKey};
use rustls::crypto::cipher::{AeadKey, Iv};
use rustls::{ConnectionTrafficSecrets, Error};

/// How many records a key may seal: for AES-GCM (RFC 8446, section 5.5), which is the
/// strictest, and for all.
const MOST: u64 = 1 << 24;

/// A key, and where in its sequence of records it stands.
pub(super) struct Traffic {
    pub(super) key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    next: u64,
}

impl Traffic {
    /// From what the handshake has made.
    pub(super) fn new((next, secrets): (u64, ConnectionTrafficSecrets)) -> Result<Self, Error> {
        match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => {
                Self::of(&AES_128_GCM, &key, &iv, next)
            }
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => {
                Self::of(&AES_256_GCM, &key, &iv, next)
            }
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
                Self::of(&CHACHA20_POLY1305, &key, &iv, next)
            }
            _ => Err(Error::General("a cipher that nobody offered".into())),
        }
    }

    fn of(algorithm: &'static Algorithm, key: &AeadKey, iv: &Iv, next: u64) -> Result<Self, Error> {
        let wrong = |_| Error::General("a key of the wrong length".into());
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(wrong)?;
        let iv = iv.as_ref().try_into();
        Ok(Self {
            key: LessSafeKey::new(key),
            iv: iv.map_err(|_| Error::General("an IV of the wrong length".into()))?,
            next,
        })
    }

    /// The next record's nonce (RFC 8446, section 5.3); none: the key has done its work.
    pub(super) fn nonce(&mut self) -> Option<Nonce> {
        if self.next >= MOST {
            return None;
        }
        let mut nonce = self.iv;
        for (place, byte) in nonce[4..].iter_mut().zip(self.next.to_be_bytes()) {
            *place ^= byte;
        }
        self.next += 1;
        Some(Nonce::assume_unique_for_key(nonce))
    }

    #[cfg(test)]
    pub(super) fn wear_out(&mut self) {
        self.next = MOST;
    }
}
