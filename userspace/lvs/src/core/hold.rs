//! Fragments that came before their first one: kept until it has shown the way, or until
//! it is too late.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ssi_abi::fragment::FragmentKey;

/// How long a fragment waits for its first: reordering on a network takes less.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes held at most; what comes then is dropped.
pub const ROOM: usize = 1 << 20;

/// A held frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The interface it came in on.
    pub ifindex: u32,
    /// From its Ethernet header on.
    pub bytes: Vec<u8>,
}

/// What is being held.
#[derive(Debug, Default)]
pub struct Hold {
    waiting: HashMap<FragmentKey, Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    frames: Vec<Frame>,
}

impl Hold {
    /// Holds a fragment; false if there is no room.
    pub fn keep(&mut self, key: FragmentKey, frame: Frame, now: Instant) -> bool {
        if self.bytes + frame.bytes.len() > ROOM {
            return false;
        }
        self.bytes += frame.bytes.len();
        let until = now + PATIENCE;
        self.waiting
            .entry(key)
            .or_insert_with(|| Waiting {
                until,
                frames: Vec::new(),
            })
            .frames
            .push(frame);
        true
    }

    /// The datagrams that are waited for.
    pub fn keys(&self) -> impl Iterator<Item = &FragmentKey> {
        self.waiting.keys()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The first fragment has come: the others, in the order they came.
    pub fn release(&mut self, key: &FragmentKey) -> Vec<Frame> {
        let frames = self
            .waiting
            .remove(key)
            .map(|waiting| waiting.frames)
            .unwrap_or_default();
        self.bytes -= frames.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        frames
    }

    /// Forgets what has waited too long; how many frames that were.
    pub fn expire(&mut self, now: Instant) -> usize {
        let late: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, w)| w.until <= now)
            .map(|(key, _)| *key)
            .collect();
        late.iter().map(|key| self.release(key).len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_in_order_bounded_in_bytes_and_in_time() {
        let mut hold = Hold::default();
        let key = FragmentKey {
            id: 7,
            ..FragmentKey::default()
        };
        let other = FragmentKey {
            id: 8,
            ..FragmentKey::default()
        };
        let start = Instant::now();
        let frame = |bytes: &[u8]| Frame {
            ifindex: 3,
            bytes: bytes.to_vec(),
        };
        assert!(hold.keep(key, frame(&[1]), start));
        assert!(hold.keep(key, frame(&[2; 3]), start));
        assert!(!hold.keep(other, frame(&[0; ROOM]), start));
        assert!(hold.keep(other, frame(&[0; ROOM - 4]), start + PATIENCE / 2));
        assert_eq!(hold.release(&key), [frame(&[1]), frame(&[2; 3])]);
        assert_eq!(hold.release(&key), []);
        assert_eq!(hold.expire(start + PATIENCE), 0);
        assert_eq!(hold.expire(start + PATIENCE * 2), 1);
        assert!(hold.is_empty());
        assert_eq!(hold.bytes, 0);
    }
}
