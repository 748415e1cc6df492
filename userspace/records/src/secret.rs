//! Secrets of which keys come, and the next secret (RFC 8446, sections 7.1 to 7.3).

use ring::aead::{Algorithm, LessSafeKey, NONCE_LEN, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};

/// Bytes of a secret.
pub(crate) const LENGTH: usize = 32;
/// What all labels begin with.
const PREFIX: &[u8] = b"tls13 ";

/// What both ends of one direction have in common.
#[derive(Clone)]
pub struct Secret([u8; LENGTH]);

impl Secret {
    /// One that both ends have agreed on, used for nothing else.
    #[must_use]
    pub const fn new(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// The key and the IV of this secret.
    pub(crate) fn key(
        &self,
        algorithm: &'static Algorithm,
    ) -> Option<(LessSafeKey, [u8; NONCE_LEN])> {
        let mut iv = [0; NONCE_LEN];
        self.expand(b"iv", &mut iv)?;
        let mut key = [0; LENGTH];
        let key = key.get_mut(..algorithm.key_len())?;
        self.expand(b"key", key)?;
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some((LessSafeKey::new(key), iv))
    }

    /// The one after it.
    pub(crate) fn next(&self) -> Option<Self> {
        let mut next = [0; LENGTH];
        self.expand(b"traffic upd", &mut next)?;
        Some(Self(next))
    }

    /// HKDF-Expand-Label, without a context.
    fn expand(&self, label: &[u8], to: &mut [u8]) -> Option<()> {
        let length = u16::try_from(to.len()).ok()?.to_be_bytes();
        let label_length = [u8::try_from(PREFIX.len() + label.len()).ok()?];
        let info = [&length[..], &label_length, PREFIX, label, &[0]];
        let secret = Prk::new_less_safe(HKDF_SHA256, &self.0);
        secret.expand(&info, Bytes(to.len())).ok()?.fill(to).ok()
    }
}

/// So many bytes.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8448, section 3: the server's traffic secret of the handshake, its key and its IV.
    #[test]
    fn keys_are_those_of_the_standard() {
        let secret = Secret([
            0xb6, 0x7b, 0x7d, 0x69, 0x0c, 0xc1, 0x6c, 0x4e, 0x75, 0xe5, 0x42, 0x13, 0xcb, 0x2d,
            0x37, 0xb4, 0xe9, 0xc9, 0x12, 0xbc, 0xde, 0xd9, 0x10, 0x5d, 0x42, 0xbe, 0xfd, 0x59,
            0xd3, 0x91, 0xad, 0x38,
        ]);
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        secret.expand(b"key", &mut key).unwrap();
        secret.expand(b"iv", &mut iv).unwrap();
        assert_eq!(
            key,
            [
                0x3f, 0xce, 0x51, 0x60, 0x09, 0xc2, 0x17, 0x27, 0xd0, 0xf2, 0xe4, 0xe8, 0x6e, 0xe4,
                0x03, 0xbc
            ]
        );
        assert_eq!(
            iv,
            [
                0x5d, 0x31, 0x3e, 0xb2, 0x67, 0x12, 0x76, 0xee, 0x13, 0x00, 0x0b, 0x30
            ]
        );
    }
}
