//! From the ways to the servers to what the core is told of the node's surroundings.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use tracing::warn;

use super::routes::Way;
use crate::core::{Environment, Route};

/// Who is who in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Addresses of all nodes.
    pub nodes: HashSet<IpAddr>,
    /// This node's own addresses at which the cluster's port is guarded.
    pub interconnect: HashSet<IpAddr>,
    /// The cluster's virtual addresses, each with whether this node directs it.
    pub cvips: HashMap<IpAddr, bool>,
    /// Those that another node directs.
    pub elsewhere: HashSet<IpAddr>,
}

/// Puts a change of ways into the environment.
pub(super) fn update(environment: &mut Environment, changes: Vec<(IpAddr, Way)>) {
    environment.own = own_addresses();
    for (addr, way) in changes {
        if way.local {
            environment.own.insert(addr);
        }
        match route(&addr, &way) {
            Some(route) => environment.routes.insert(addr, route),
            None => environment.routes.remove(&addr),
        };
    }
}

/// This node's own addresses, as they are now.
pub(super) fn own_addresses() -> HashSet<IpAddr> {
    let interfaces = match getifaddrs() {
        Ok(interfaces) => interfaces,
        Err(error) => {
            warn!("cannot list this node's addresses: {error}");
            return HashSet::new();
        }
    };
    interfaces
        .filter_map(|interface| {
            let addr = interface.address?;
            let v4 = addr.as_sockaddr_in().map(|addr| IpAddr::V4(addr.ip()));
            v4.or_else(|| addr.as_sockaddr_in6().map(|addr| IpAddr::V6(addr.ip())))
        })
        .collect()
}

fn route(addr: &IpAddr, way: &Way) -> Option<Route> {
    if way.local || way.ifindex == 0 {
        return None;
    }
    let nowhere = match addr {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    Some(Route {
        ifindex: way.ifindex,
        own_mac: way.macs.map(|(_, own)| own).unwrap_or_default(),
        next_hop: way.macs.map(|(next_hop, _)| next_hop),
        source: way.source.unwrap_or(nowhere),
        mtu: u16::try_from(way.mtu).unwrap_or(u16::MAX),
    })
}
