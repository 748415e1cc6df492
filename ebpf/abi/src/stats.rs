//! What is counted for each service and each server, per CPU.

/// Counters only grow; rates are taken of their differences.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Bytes of those, from the IP header on.
    pub in_bytes: u64,
    /// Packets to clients; only NAT sees them.
    pub out_packets: u64,
    /// Bytes of those, from the IP header on.
    pub out_bytes: u64,
}

const _: () = assert!(size_of::<Stats>() == 40);
