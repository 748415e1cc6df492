//! The flow cache: what the connection table, or a slot, said of a flow a moment ago.
//!
//! A remembered connection costs two or three cache misses in the table, and its LRU's
//! book-keeping. A copy of what the table said, one cache line that all CPUs share, saves
//! that for 62 ms; then the table is asked again, so that it knows the flow is in use, even
//! while a flood of new connections turns it over. The truth is in the table: the cache may
//! lose anything at any moment. It is for IPv4 alone: IPv6, with its longer keys, needs the
//! whole of a program's stack without it.
//!
//! CPUs write copies without a lock, three words each. The last two are sealed with the
//! first, so that words of different writes don't pass for a copy (as chess programs share
//! their tables: Hyatt and Mann, "A lockless transposition table implementation for
//! parallel search", ICGA Journal 25, 2002).

use crate::conn::ConnKey4;

/// Flows of one set: places that one flow may be in.
pub const WAYS: usize = 2;

/// A second is so many times as long as a copy holds.
pub const HOLDS: u32 = 16;

/// Most sets, 4 MiB: more reach no further than the processor's own caches.
pub const MOST: u32 = 65_536;

// Odd multipliers: the golden ratio's, and a prime of xxHash64's.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const PRIME: u64 = 0xc2b2_ae3d_27d4_eb4f;

/// What was said of one flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The server, as [`crate::server::server_ref`], in the low half, 0 for nothing; in the
    /// high half the low 32 bits of jiffies when the table said so.
    pub said: u64,
    /// The flow, each word sealed with `said`.
    pub sealed: [u64; 2],
}

/// A set of the cache: one cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// The flows, in no order.
    pub flows: [Flow; WAYS],
    /// Zero.
    pub pad: [u64; 2],
}

const _: () = assert!(size_of::<Set>() == 64);

impl Flow {
    /// Makes the word of a server and a time.
    #[inline(always)]
    #[must_use]
    pub const fn say(server: u32, seen: u32) -> u64 {
        server as u64 | (seen as u64) << 32
    }

    /// The server in [`Self::said`].
    #[inline(always)]
    #[must_use]
    pub const fn server(said: u64) -> u32 {
        said as u32
    }

    /// The time in [`Self::said`].
    #[inline(always)]
    #[must_use]
    pub const fn seen(said: u64) -> u32 {
        (said >> 32) as u32
    }
}

/// A flow as the cache knows it: as many bits as its key has, each word dependent on the
/// ports and the protocol as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    words: [u64; 2],
    hash: u32,
}

impl Name {
    /// The name of a flow; `seed` keys where its place is.
    #[inline(always)]
    #[must_use]
    pub const fn of(seed: u64, key: &ConnKey4) -> Self {
        let addresses = key.source as u64 | (key.destination as u64) << 32;
        let ports = key.source_port as u64 | (key.destination_port as u64) << 16;
        let rest = (ports | (key.protocol as u64) << 32).wrapping_mul(PRIME);
        let hash = (addresses ^ seed).wrapping_mul(GOLDEN) ^ rest;
        Self {
            words: [addresses ^ rest.rotate_left(32), rest],
            hash: (hash >> 32) as u32,
        }
    }

    /// Which of `sets` may hold it.
    #[inline(always)]
    #[must_use]
    pub const fn set(&self, sets: u32) -> u32 {
        ((self.hash as u64 * sets as u64) >> 32) as u32
    }

    /// What stands beside `said` in the flow's own copy.
    #[inline(always)]
    #[must_use]
    pub const fn sealed(&self, said: u64) -> [u64; 2] {
        [self.words[0] ^ said, self.words[1] ^ said]
    }
}

/// Sets for a table of so many connections: a place for every second of them, up to
/// [`MOST`] sets.
#[must_use]
pub const fn sets(conns: u32) -> u32 {
    let share = conns / (2 * WAYS as u32);
    if share == 0 {
        1
    } else if share > MOST {
        MOST
    } else {
        share
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::HashSet;
    use std::vec::Vec;

    use super::*;

    fn key(client: u32, port: u16) -> ConnKey4 {
        ConnKey4 {
            source: 0x0a00_0001 + client,
            destination: 0x0a58_0064,
            source_port: port.to_be(),
            destination_port: 80_u16.to_be(),
            protocol: 6,
            pad: [0; 3],
        }
    }

    #[test]
    fn every_flow_has_a_name_of_its_own() {
        let keys = (0..64).flat_map(|client| (0..1024).map(move |port| key(client, port)));
        let names: HashSet<_> = keys.map(|key| Name::of(7, &key).words).collect();
        assert_eq!(names.len(), 65_536);
    }

    #[test]
    fn words_of_two_writes_are_nobodys_copy() {
        // Neighbours, as they are most alike: ports, servers and times one apart.
        let copies: Vec<_> = (0..8)
            .flat_map(|port| (0..4).map(move |n| (Name::of(7, &key(0, port)), n)))
            .map(|(name, n)| {
                let said = Flow::say(1 + n % 2, 1000 + n / 2);
                (name, said, name.sealed(said))
            })
            .collect();
        for (_, said, _) in &copies {
            for (a, _, first) in &copies {
                for (b, _, second) in &copies {
                    let found = copies
                        .iter()
                        .filter(|(name, ..)| name.sealed(*said) == [first[0], second[1]]);
                    for (name, ..) in found {
                        assert!(name == a && name == b);
                    }
                }
            }
        }
    }

    #[test]
    fn sets_are_used_evenly() {
        let mut used = [0_u32; 64];
        for client in 0..16 {
            for port in 0..4096 {
                used[Name::of(0x5eed, &key(client, port)).set(64) as usize] += 1;
            }
        }
        for count in used {
            assert!((800..1250).contains(&count), "{count} of some 1024");
        }
    }

    #[test]
    fn there_is_a_place_for_every_second_connection() {
        for (conns, wanted) in [
            (262_144, 65_536),
            (131_072, 32_768),
            (1 << 24, MOST),
            (3, 1),
        ] {
            assert_eq!(sets(conns), wanted, "{conns}");
        }
    }
}
