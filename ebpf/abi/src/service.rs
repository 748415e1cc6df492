//! Virtual services.

use crate::Addr;

/// What a client's packet is looked up by: exactly, then with port 0 (all ports).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServiceKey {
    /// The virtual address.
    pub addr: Addr,
    /// The virtual port, network order; 0 stands for every port.
    pub port: u16,
    /// 6 (TCP) or 17 (UDP).
    pub protocol: u8,
    /// Zero.
    pub pad: u8,
}

const _: () = assert!(size_of::<ServiceKey>() == 20);

/// One virtual service. A record with scheduler [`scheduler::NONE`] is free.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its own key; the address is [`Addr::NONE`] for a service named by a mark.
    pub key: ServiceKey,
    /// Bits of [`flag`].
    pub flags: u32,
    /// The mark that names a group of ports, or 0.
    pub mark: u32,
    /// Persistence in jiffies, 0 for none: how long a client stays with its server.
    pub persist: u32,
    /// The entries in `TABLE`: first entry << 32 | how many. One word, so that a table is
    /// replaced in one step. 0 entries: no server takes connections.
    pub table: u64,
    /// One of [`scheduler`].
    pub scheduler: u8,
    /// Persistence: bits of the client's address that count (0..=32 or 0..=128).
    pub prefix: u8,
    /// Which of the schedulers that share a way (rr and wrr, sh and mh), for whoever reads
    /// the maps back; userspace's own numbering.
    pub variant: u8,
    /// Zero.
    pub pad: [u8; 5],
    /// The same as a mask over [`Addr`]'s words; see [`persistence_mask`]. All ones without
    /// persistence.
    pub mask: Addr,
}

const _: () = assert!(size_of::<Service>() == 64);

impl Service {
    /// First entry in `TABLE`, and how many.
    #[inline(always)]
    #[must_use]
    pub const fn table_range(table: u64) -> (u32, u32) {
        ((table >> 32) as u32, table as u32)
    }
}

/// [`Service::mask`] of a [`Service::prefix`].
#[must_use]
pub const fn persistence_mask(prefix: u8, v4: bool) -> Addr {
    let kept = if v4 {
        96 + prefix as u32
    } else {
        prefix as u32
    };
    let mut words = [0; 4];
    let mut i = 0;
    while i < words.len() {
        let bits = kept.saturating_sub(i as u32 * 32);
        words[i] = if bits >= 32 {
            u32::MAX
        } else if bits == 0 {
            0
        } else {
            (u32::MAX << (32 - bits)).to_be()
        };
        i += 1;
    }
    Addr { words }
}

/// Bits of [`Service::flags`].
pub mod flag {
    /// This node is the director of the service's address: it schedules. Other nodes only
    /// deliver locally what a director sent them.
    pub const DIRECTOR: u32 = 1 << 0;
    /// Schedule every packet on its own and remember nothing (`ipvsadm -o`).
    pub const ONE_PACKET: u32 = 1 << 1;
    /// sh, mh: the client's port takes part in the hash (`sh-port`, `mh-port`).
    pub const HASH_PORT: u32 = 1 << 2;
    /// sh: when the hashed server takes no connections, look further (`sh-fallback`).
    pub const FALLBACK: u32 = 1 << 3;
    /// slot: remember connections although the slot table alone would do.
    pub const TRACK: u32 = 1 << 4;
    /// Some server of the service is reached by NAT.
    pub const NAT: u32 = 1 << 5;
}

/// Values of [`Service::scheduler`]. Each is one way to pick an entry of the service's
/// table; the names are the ones of ipvsadm.
pub mod scheduler {
    /// The record is free.
    pub const NONE: u8 = 0;
    /// Next entry in turn. rr and wrr: wrr's turn order is written into the table.
    pub const TURN: u8 = 1;
    /// Entry by hash of the client: sh, mh.
    pub const HASH: u8 = 2;
    /// Entry by hash of the flow, with current and previous owner: slot.
    pub const SLOT: u8 = 3;
    /// Fewest connections: lc.
    pub const LEAST: u8 = 4;
    /// Fewest connections for its weight: wlc.
    pub const WEIGHTED_LEAST: u8 = 5;
}
