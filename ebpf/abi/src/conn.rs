//! The connection tables.

/// A connection, or its reverse, over IPv4. All in network order, as in the packet:
/// client → virtual address, and for NAT also server → client.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnKey4 {
    /// Source address.
    pub source: u32,
    /// Destination address.
    pub destination: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// 6 (TCP) or 17 (UDP).
    pub protocol: u8,
    /// Zero.
    pub pad: [u8; 3],
}

const _: () = assert!(size_of::<ConnKey4>() == 16);

/// A connection over IPv6; see [`ConnKey4`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnKey6 {
    /// Source address.
    pub source: [u32; 4],
    /// Destination address.
    pub destination: [u32; 4],
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// 6 (TCP) or 17 (UDP).
    pub protocol: u8,
    /// Zero.
    pub pad: [u8; 3],
}

const _: () = assert!(size_of::<ConnKey6>() == 40);

/// What is remembered of an IPv4 connection.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conn4 {
    /// The server, as [`crate::server::server_ref`].
    pub server: u32,
    /// Low 32 bits of jiffies when its last packet came.
    pub seen: u32,
    /// One of [`state`].
    pub state: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Reverse entries: the virtual port, network order.
    pub virtual_port: u16,
    /// Reverse entries: the virtual address, network order.
    pub virtual_addr: u32,
}

const _: () = assert!(size_of::<Conn4>() == 16);

/// What is remembered of an IPv6 connection; see [`Conn4`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conn6 {
    /// The server, as [`crate::server::server_ref`].
    pub server: u32,
    /// Low 32 bits of jiffies when its last packet came.
    pub seen: u32,
    /// One of [`state`].
    pub state: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Reverse entries: the virtual port, network order.
    pub virtual_port: u16,
    /// Zero.
    pub pad: u32,
    /// Reverse entries: the virtual address, network order.
    pub virtual_addr: [u32; 4],
}

const _: () = assert!(size_of::<Conn6>() == 32);

/// Bits of [`Conn4::flags`].
pub mod flag {
    /// The entry is for packets from the server: undo NAT.
    pub const REVERSE: u8 = 1 << 0;
    /// Not a connection but a client's attachment to a server (persistence); its ports
    /// are 0, or the destination port the virtual one.
    pub const TEMPLATE: u8 = 1 << 1;
}

/// States of a connection, as far as the client's packets tell (IPVS calls this
/// INPUT_ONLY: with direct routing and tunnels, replies don't pass the director).
pub mod state {
    /// SYN seen.
    pub const SYN: u8 = 0;
    /// TCP, established.
    pub const ESTABLISHED: u8 = 1;
    /// TCP, FIN seen.
    pub const FIN: u8 = 2;
    /// TCP, reset.
    pub const CLOSE: u8 = 3;
    /// Not TCP: packets came, and may come again.
    pub const IDLE: u8 = 4;
    /// How many states there are.
    pub const COUNT: usize = 5;
}
