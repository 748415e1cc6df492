//! What the packet path knows of the cluster: this node, the other members, and how much
//! is said to each.

use crate::probe::kind;

/// Another member; the value of `MEMBERS`, whose key is the address that its packets come
/// from on the interconnect.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its number, 1–511.
    pub node: u32,
    /// Which life of it is a member.
    pub incarnation: u32,
    /// Bits of [`member_flag`].
    pub flags: u32,
    /// Zero.
    pub pad: u32,
    /// Nonce of the last probe accepted of each kind, at index kind − 1. The programs write
    /// it. Each kind has its own, because an answer has the nonce of what it answers, and
    /// `ssid` answers later than the kernel does.
    pub nonces: [u64; kind::COUNT],
    /// When the last probe of any kind was accepted, in nanoseconds of `CLOCK_BOOTTIME`;
    /// 0: never. The programs write it.
    pub seen: u64,
}

const _: () = assert!(size_of::<Member>() == 56);

/// Bits of [`Member::flags`].
pub mod member_flag {
    /// Drop whatever it sends to our port.
    pub const FENCED: u32 = 1 << 0;
}

/// A key that tags probes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// What [`crate::probe::Probe::key_id`] names it by, at most 65,535; 0: no key.
    pub id: u32,
    /// Zero.
    pub pad: u32,
    /// First half.
    pub k0: u64,
    /// Second half.
    pub k1: u64,
}

const _: () = assert!(size_of::<Key>() == 24);

/// This node; the one record of `OWN`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Its number, 1–511.
    pub node: u32,
    /// Which life of it this is; never 0 in a cluster.
    pub incarnation: u32,
    /// Bits of [`own_flag`].
    pub flags: u32,
    /// Zero.
    pub pad: u32,
    /// The current key and the one before it; probes tagged with either are accepted.
    pub keys: [Key; 2],
    /// Until when the lease lasts, in nanoseconds of `CLOCK_BOOTTIME`. The programs raise
    /// it when the master grants more, `ssid` sets it. Both at once can lose the later of
    /// two values, never make one up: the lease is shorter then, until the next grant.
    pub lease_until: u64,
    /// How many grants the programs have taken in.
    pub granted: u64,
}

const _: () = assert!(size_of::<Own>() == 80);

/// Bits of [`Own::flags`].
pub mod own_flag {
    /// This node is in a cluster. Without it, nothing of this is looked at.
    pub const MEMBER: u32 = 1 << 0;
    /// The lease is enforced: when it is over, this node neither hears nor speaks to the
    /// others, nor schedules as a director. Probes go on, for they bring the next lease.
    /// `ssid` clears it once it has stopped everything itself, to ask for a new lease.
    pub const LEASED: u32 = 1 << 1;
}

/// Largest number of a node.
pub const LARGEST_NODE: u32 = 511;

/// Lanes that are told apart between two nodes. The lane of a connection is given by the
/// low bits of the port at the end that isn't [`crate::probe::PORT`].
pub const LANES: u32 = 8;

/// Index in `PEER_STATS` of a node's lane.
#[inline(always)]
#[must_use]
pub const fn peer_lane(node: u32, lane: u32) -> u32 {
    node * LANES + lane
}

/// What went over a lane to and from a member, per CPU. Counters only grow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerStats {
    /// Packets from it that were let in, as the program saw them: tc may see several
    /// segments as one.
    pub in_packets: u64,
    /// Bytes of those, from the IP header on.
    pub in_bytes: u64,
    /// Packets to it that were let out; tc sees several segments as one.
    pub out_packets: u64,
    /// Bytes of those, from the IP header on.
    pub out_bytes: u64,
}

const _: () = assert!(size_of::<PeerStats>() == 32);
