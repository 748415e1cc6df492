//! Real servers.

use crate::Addr;

/// One real server of one virtual service: where its packets go, resolved down to the
/// MAC addresses so that forwarding needs no further lookup.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The server's own address; the outer destination of a tunnel.
    pub addr: Addr,
    /// This node's address towards the server; the outer source of a tunnel.
    pub source: Addr,
    /// Interface towards the server; 0: not resolved, ask the kernel's FIB for each packet.
    pub ifindex: u32,
    /// 0 drains: no new connection, the old ones go on. 0..=65535.
    pub weight: u32,
    /// Index of its service in `SERVICES`; 0: the record is free.
    pub service: u32,
    /// The server's port, network order; 0: the packet's own (always so for direct routing
    /// and tunnels).
    pub port: u16,
    /// Largest packet on the path to the server, in bytes; 0: not known, don't check.
    pub mtu: u16,
    /// Told apart from earlier users of the same index; see [`server_ref`].
    pub generation: u16,
    /// One of [`method`].
    pub method: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// MAC of the next hop.
    pub next_hop: [u8; 6],
    /// MAC of our interface.
    pub own_mac: [u8; 6],
}

const _: () = assert!(size_of::<Server>() == 64);

/// Names a server together with its generation, so that a connection never follows an
/// index to its next user: `generation << 16 | index`. 0 is "no server".
#[inline(always)]
#[must_use]
pub const fn server_ref(index: u16, generation: u16) -> u32 {
    (generation as u32) << 16 | index as u32
}

/// The index in `SERVERS` of a [`server_ref`].
#[inline(always)]
#[must_use]
pub const fn server_index(server_ref: u32) -> u32 {
    server_ref & 0xffff
}

/// The generation of a [`server_ref`].
#[inline(always)]
#[must_use]
pub const fn server_generation(server_ref: u32) -> u16 {
    (server_ref >> 16) as u16
}

/// Values of [`Server::method`]: how packets reach the server.
pub mod method {
    /// Direct routing: only the MAC addresses change.
    pub const DIRECT: u8 = 1;
    /// Inside an outer IPv4 or IPv6 header, of the family of the server's address.
    pub const TUNNEL: u8 = 2;
    /// Address and port are rewritten, both ways.
    pub const NAT: u8 = 3;
}

/// Bits of [`Server::flags`].
pub mod flag {
    /// The server is this node: deliver to its own stack, whatever the method.
    pub const LOCAL: u8 = 1 << 0;
    /// `next_hop` and `own_mac` are known.
    pub const RESOLVED: u8 = 1 << 1;
    /// Over its upper connection threshold: no new connections for now.
    pub const OVERLOADED: u8 = 1 << 2;
    /// Gone: its connections are dropped or scheduled anew rather than sent to it.
    pub const DOWN: u8 = 1 << 3;
    /// The server runs these programs too: what it gets but does not own, it passes on to
    /// the slot's previous owner (the second chance).
    pub const SECOND_CHANCE: u8 = 1 << 4;
}

/// How many connections a server has, for the schedulers that compare. Kept in two
/// halves because two sides write: the programs count up and down as they see
/// connections change state; userspace corrects, after each sweep of the connection
/// tables, for the ones that ended unseen (evicted, expired).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Connections that became established less those that left; wraps. Programs write.
    pub active: i32,
    /// The same for connections in any other state. Programs write.
    pub inactive: i32,
    /// Added to `active`. Userspace writes.
    pub active_base: i32,
    /// Added to `inactive`. Userspace writes.
    pub inactive_base: i32,
}

const _: () = assert!(size_of::<Load>() == 16);

impl Load {
    /// Established connections, never negative.
    #[inline(always)]
    #[must_use]
    pub const fn active(&self) -> u32 {
        let n = self.active.wrapping_add(self.active_base);
        if n < 0 { 0 } else { n as u32 }
    }

    /// Connections in any other state, never negative.
    #[inline(always)]
    #[must_use]
    pub const fn inactive(&self) -> u32 {
        let n = self.inactive.wrapping_add(self.inactive_base);
        if n < 0 { 0 } else { n as u32 }
    }

    /// What lc compares, and wlc divides by the weight: an established connection weighs
    /// as much as 256 others (`ip_vs_dest_conn_overhead` in the kernel's IPVS).
    #[inline(always)]
    #[must_use]
    pub const fn overhead(&self) -> u64 {
        ((self.active() as u64) << 8) + self.inactive() as u64
    }
}
