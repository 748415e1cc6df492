//! What all programs are told.

use crate::conn::state;

/// The one record of `SETTINGS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Keys every flow hash; the same on all nodes of a cluster, secret outside.
    pub seed: u64,
    /// How long a connection is remembered after its last packet, in jiffies, by
    /// [`state`].
    pub timeouts: [u32; state::COUNT],
    /// Time to live of outer headers and of the ICMP errors that we send.
    pub ttl: u32,
    /// Jiffies a second on this kernel.
    pub hz: u32,
    /// This node's number, 0 if it has none yet.
    pub node: u32,
    /// How long a copy in the flow cache holds, in jiffies.
    pub copies: u32,
    /// Zero.
    pub pad: u32,
}

const _: () = assert!(size_of::<Settings>() == 48);

/// IPVS's timeouts for [`Settings::timeouts`], in seconds (`ip_vs_proto_tcp.c`,
/// `ip_vs_proto_udp.c`): SYN_RECV 60, ESTABLISHED 900, FIN_WAIT 120, CLOSE 10, UDP 300.
pub const TIMEOUT_SECONDS: [u32; state::COUNT] = [60, 900, 120, 10, 300];
