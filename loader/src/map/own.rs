use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use ssi_abi::member::{Key, Own, own_flag};

use super::Raw;
use super::shared::Mapped;
use crate::LoadError;

/// This node, as the packet path knows it: mapped, so that `ssid` and the programs write
/// different fields of it at once.
#[derive(Debug)]
pub struct OwnNode {
    mapped: Mapped,
    map: OwnedFd,
}

/// Where a field is, in 32-bit words.
macro_rules! word {
    ($($field:tt)+) => {
        std::mem::offset_of!(Own, $($field)+) / 4
    };
}

const KEY_WORDS: usize = size_of::<Key>() / 4;

impl OwnNode {
    pub(crate) fn new(raw: Raw) -> Result<Self, LoadError> {
        let mapped = Mapped::new(&raw, size_of::<Own>())?;
        let map = raw.fd;
        Ok(Self { mapped, map })
    }

    /// The map, for another process to look at ([`of`](Self::of)).
    ///
    /// # Errors
    /// There are no more descriptors.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.map.try_clone()
    }

    /// What another process has shared.
    ///
    /// # Errors
    /// It is no such map.
    pub fn of(map: OwnedFd) -> Result<Self, LoadError> {
        Self::new(Raw {
            name: "OWN",
            fd: map,
            max_entries: 1,
        })
    }

    /// Everything. Each field is read in one step, but not all of them at one moment.
    #[must_use]
    pub fn get(&self) -> Own {
        let word = |at: usize| self.mapped.word(at).load(Ordering::Acquire);
        let long = |at: usize| self.mapped.long(at).load(Ordering::Acquire);
        let key = |place: usize| {
            let at = word!(keys) + place * KEY_WORDS;
            Key {
                id: word(at),
                pad: 0,
                k0: long(at + 2),
                k1: long(at + 4),
            }
        };
        Own {
            node: word(word!(node)),
            incarnation: word(word!(incarnation)),
            flags: word(word!(flags)),
            pad: 0,
            keys: [key(0), key(1)],
            lease_until: long(word!(lease_until)),
            granted: long(word!(granted)),
        }
    }

    /// Begins a life as this node: in a cluster, with no lease and none enforced.
    pub fn join(&self, node: u32, incarnation: u32) {
        self.leave();
        self.set(word!(node), node);
        self.set(word!(incarnation), incarnation);
        self.set_lease(0);
        self.set(word!(flags), own_flag::MEMBER);
    }

    /// In no cluster: what comes to the cluster's port is for the socket alone to judge.
    pub fn leave(&self) {
        self.set(word!(flags), 0);
    }

    /// Whether the programs enforce the lease; see [`own_flag::LEASED`].
    pub fn enforce_lease(&self, enforce: bool) {
        let flags = self.mapped.word(word!(flags));
        if enforce {
            flags.fetch_or(own_flag::LEASED, Ordering::AcqRel);
        } else {
            flags.fetch_and(!own_flag::LEASED, Ordering::AcqRel);
        }
    }

    /// Which keys tag probes: the current one and the one before it; an id of 0 is none.
    /// Probes that come in this very moment may be refused.
    pub fn set_keys(&self, keys: [Key; 2]) {
        for (place, key) in keys.into_iter().enumerate() {
            let at = word!(keys) + place * KEY_WORDS;
            if self.key_is(at, &key) {
                continue;
            }
            // No name while it is neither the old key nor the new one.
            self.set(at, 0);
            self.mapped.long(at + 2).store(key.k0, Ordering::Release);
            self.mapped.long(at + 4).store(key.k1, Ordering::Release);
            self.set(at, key.id);
        }
    }

    fn key_is(&self, at: usize, key: &Key) -> bool {
        self.mapped.word(at).load(Ordering::Acquire) == key.id
            && self.mapped.long(at + 2).load(Ordering::Acquire) == key.k0
            && self.mapped.long(at + 4).load(Ordering::Acquire) == key.k1
    }

    /// Until when the lease lasts, in nanoseconds of `CLOCK_BOOTTIME`.
    #[must_use]
    pub fn lease_until(&self) -> u64 {
        self.mapped.long(word!(lease_until)).load(Ordering::Acquire)
    }

    /// Sets the end of the lease, also to an earlier time.
    pub fn set_lease(&self, until: u64) {
        self.mapped
            .long(word!(lease_until))
            .store(until, Ordering::Release);
    }

    /// Makes the lease last until then, or longer if it does already.
    pub fn extend_lease(&self, until: u64) {
        self.mapped
            .long(word!(lease_until))
            .fetch_max(until, Ordering::AcqRel);
    }

    fn set(&self, at: usize, value: u32) {
        self.mapped.word(at).store(value, Ordering::Release);
    }
}
