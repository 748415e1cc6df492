//! The key of one direction.

use ring::aead::{AES_128_GCM, AES_256_GCM, Algorithm, CHACHA20_POLY1305, LessSafeKey};
use ring::aead::{NONCE_LEN, Nonce, UnboundKey};

use crate::{Broken, Secret};

/// How many records a key may seal: for AES-GCM (RFC 8446, section 5.5), which is the
/// strictest, and for all.
pub(crate) const MOST: u64 = 1 << 24;

/// What records are sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with 128 bits.
    Aes128Gcm,
    /// AES with 256 bits.
    Aes256Gcm,
    /// Where AES is slow.
    ChaCha20Poly1305,
}

impl Cipher {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
            Self::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        }
    }
}

/// A key, and where in its sequence of records it stands.
pub struct Traffic {
    pub(crate) key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    next: u64,
    /// Where the next key comes from.
    spring: Option<(Cipher, Secret)>,
}

impl Traffic {
    /// What a handshake has made, which has sealed `next` records with it already.
    ///
    /// # Errors
    /// Key or IV have not the length that the cipher's have.
    pub fn new(cipher: Cipher, key: &[u8], iv: &[u8], next: u64) -> Result<Self, Broken> {
        let key = UnboundKey::new(cipher.algorithm(), key).map_err(|_| Broken::NoKey)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            iv: iv.try_into().map_err(|_| Broken::NoKey)?,
            next,
            spring: None,
        })
    }

    /// The keys of a secret, one after the other.
    ///
    /// # Errors
    /// None come of it.
    pub fn of(cipher: Cipher, secret: Secret) -> Result<Self, Broken> {
        let (key, iv) = secret.key(cipher.algorithm()).ok_or(Broken::NoKey)?;
        Ok(Self {
            key,
            iv,
            next: 0,
            spring: Some((cipher, secret)),
        })
    }

    /// The next record's nonce (RFC 8446, section 5.3), for the key as it is then.
    ///
    /// # Errors
    /// The key has done its work, and none comes after it.
    pub(crate) fn nonce(&mut self) -> Result<Nonce, Broken> {
        if self.next >= MOST {
            let (cipher, secret) = self.spring.as_ref().ok_or(Broken::WornOut)?;
            *self = Self::of(*cipher, secret.next().ok_or(Broken::NoKey)?)?;
        }
        let mut nonce = self.iv;
        for (place, byte) in nonce[4..].iter_mut().zip(self.next.to_be_bytes()) {
            *place ^= byte;
        }
        self.next += 1;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&mut self) {
        self.next = MOST;
    }
}
