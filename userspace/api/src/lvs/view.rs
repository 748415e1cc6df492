use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Protocol, ServerName, ServerSpec, ServiceName, ServiceSpec};

/// A virtual service as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Which.
    pub service: ServiceName,
    /// How it shall behave.
    pub spec: ServiceSpec,
    /// Whether this node is its director.
    pub director: bool,
    /// Since it was made, or zeroed.
    pub counters: Counters,
    /// Of the last seconds.
    pub rates: Rates,
    /// Its real servers, in the order they were added.
    pub servers: Vec<ServerView>,
}

/// A real server as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerView {
    /// Which.
    pub server: ServerName,
    /// How it shall be used.
    pub spec: ServerSpec,
    /// Whether it is this node.
    pub local: bool,
    /// Whether the way to it is known (interface and next hop).
    pub reachable: bool,
    /// Established connections.
    pub active: u32,
    /// Connections in any other state.
    pub inactive: u32,
    /// Slot tables: how many of the 65,536 slots are its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Since it was added, or zeroed.
    pub counters: Counters,
    /// Of the last seconds.
    pub rates: Rates,
}

/// Totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Packets to clients (NAT only).
    pub out_packets: u64,
    /// Bytes from clients.
    pub in_bytes: u64,
    /// Bytes to clients (NAT only).
    pub out_bytes: u64,
}

/// Per second, smoothed as IPVS does (every 2 s, new = old·¾ + rate·¼).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Connections a second.
    pub connections: f64,
    /// Packets a second from clients.
    pub in_packets: f64,
    /// Packets a second to clients.
    pub out_packets: f64,
    /// Bytes a second from clients.
    pub in_bytes: f64,
    /// Bytes a second to clients.
    pub out_bytes: f64,
}

/// State of a connection, as far as the director can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// SYN seen.
    SynRecv,
    /// Established.
    Established,
    /// FIN seen.
    FinWait,
    /// Reset.
    Close,
    /// UDP.
    Udp,
    /// A persistence template.
    None,
}

/// An entry of the connection table (`-L -c`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Seconds until it is forgotten.
    pub expires: u32,
    /// State.
    pub state: ConnectionState,
    /// The client.
    pub source: SocketAddr,
    /// The virtual address.
    pub virtual_addr: SocketAddr,
    /// The real server.
    pub destination: SocketAddr,
}
