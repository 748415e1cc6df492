//! Tags on frames: whoever lacks the key can neither make, change, repeat nor reorder them.
//! Nothing is kept secret by it.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use zerocopy::IntoBytes;

/// Bytes of a tag, which follows the body.
pub(super) const TAG: usize = 8;

/// The key that all nodes of a cluster share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SharedKey(pub [u8; 16]);

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKey(…)")
    }
}

/// Tags the frames of one direction of one connection, in order: `SipHash-2-4` over how
/// many went before, the header and the body.
#[derive(Clone, Debug)]
pub struct Mac {
    key: [u8; 16],
    count: u64,
    hasher: SipHasher24,
}

impl Mac {
    /// For frames that `speaker` sends and `listener` receives, where each is the hello that
    /// this end sent, byte by byte. Hellos have fresh nonces, so that no connection has the
    /// key of another, and the two directions of one differ by the order.
    #[must_use]
    pub fn new(shared: &SharedKey, speaker: &[u8], listener: &[u8]) -> Self {
        let mut key = [0; 16];
        for (half, place) in key.chunks_exact_mut(8).enumerate() {
            let mut hasher = SipHasher24::new_with_key(&shared.0);
            hasher.write_u64(half as u64);
            hasher.write_u64(speaker.len() as u64);
            hasher.write(speaker);
            hasher.write(listener);
            place.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        Self {
            key,
            count: 0,
            hasher: SipHasher24::new_with_key(&key),
        }
    }

    /// Starts the next frame.
    pub fn begin(&mut self, header: &[u8]) {
        self.hasher = SipHasher24::new_with_key(&self.key);
        self.hasher.write(self.count.to_le_bytes().as_bytes());
        self.hasher.write(header);
        self.count += 1;
    }

    /// The tag of the frame that was begun.
    #[must_use]
    pub fn end(&mut self, body: &[u8]) -> [u8; 8] {
        self.hasher.write(body);
        self.hasher.finish().to_le_bytes()
    }
}
