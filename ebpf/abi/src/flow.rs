//! The flow cache: what the connection tables said of a flow a moment ago.
//!
//! A remembered connection costs two or three cache misses in a table that all CPUs share.
//! Each CPU keeps a copy of what it looked up last, in one cache line, and goes by that for
//! a quarter of a second; then it looks again, so that the table knows the flow is alive.
//! The truth is in the tables: the cache may lose anything at any moment. It is for IPv4
//! alone: IPv6, with its longer keys, needs the whole of a program's stack without it.

use crate::conn::ConnKey4;

/// Flows of one set: places that one flow may be in.
pub const WAYS: usize = 2;

/// A second is so many times the time that a copy holds: 4 are 250 ms. Much shorter than any
/// timeout of a connection, and than the second after which Linux uses a port again.
pub const HOLDS: u32 = 4;

/// What was said of one flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow<K> {
    /// The server, as [`crate::server::server_ref`]; 0: nothing.
    pub server: u32,
    /// Low 32 bits of jiffies when it was said.
    pub seen: u32,
    /// The key of the connection.
    pub key: K,
}

/// A set of the IPv4 cache: one cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set4 {
    /// The flows, in no order.
    pub flows: [Flow<ConnKey4>; WAYS],
    /// Zero.
    pub pad: [u32; 4],
}

const _: () = assert!(size_of::<Set4>() == 64);

/// Most sets of one CPU, 4 MiB: more reach no further than the processor's own caches.
pub const MOST: u32 = 65_536;

/// Sets of one CPU, a power of two, where a table has `conns` connections and the machine
/// `cpus`: room for about the CPU's share, up to [`MOST`].
#[must_use]
pub const fn sets(conns: u32, cpus: u32) -> u32 {
    let share = conns / (cpus * WAYS as u32);
    if share == 0 {
        return 1;
    }
    let sets = 1 << share.ilog2();
    if sets > MOST { MOST } else { sets }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_has_room_for_its_share_and_never_for_more() {
        for (conns, cpus, wanted) in [
            (262_144, 2, 65_536),
            (262_144, 3, 32_768),
            (1 << 24, 2, MOST),
            (4096, 1, 2048),
            (64, 240, 1),
            (1, 1, 1),
        ] {
            assert_eq!(sets(conns, cpus), wanted, "{conns} on {cpus}");
        }
    }
}
