use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// The way to a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Interface, not 0.
    pub ifindex: u32,
    /// MAC address of the interface.
    pub own_mac: [u8; 6],
    /// MAC address of the next hop, once known.
    pub next_hop: Option<[u8; 6]>,
    /// Our address towards the server.
    pub source: IpAddr,
    /// Largest packet, bytes.
    pub mtu: u16,
}

/// What the core is told of the node's surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// This node's own addresses: servers with one of them are local.
    pub own: HashSet<IpAddr>,
    /// Addresses of all cluster nodes: they give second chances.
    pub nodes: HashSet<IpAddr>,
    /// This node's own addresses at which the cluster's port is guarded.
    pub interconnect: HashSet<IpAddr>,
    /// Cluster addresses: whether this node directs them. Any other virtual address is
    /// directed by whoever has a service on it.
    pub cvips: HashMap<IpAddr, bool>,
    /// Those of them that another node directs: what is remembered here of their connections
    /// goes when no packet has asked for it lately.
    pub elsewhere: HashSet<IpAddr>,
    /// The way to each server that has one.
    pub routes: HashMap<IpAddr, Route>,
}

impl Environment {
    pub(super) fn directs(&self, addr: IpAddr) -> bool {
        self.cvips.get(&addr).copied().unwrap_or(true)
    }
}
