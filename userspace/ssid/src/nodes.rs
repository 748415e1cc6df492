//! Who is around this node: what the packet path is told of the cluster.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ssi_api::control::NodeStatus;

use crate::config::Config;

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) number: u16,
    pub(crate) name: String,
    /// Its addresses on the interconnect.
    pub(crate) addresses: Vec<IpAddr>,
}

/// Everybody, and what this node is to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Company {
    /// This node's number; 0: in no cluster.
    pub(crate) number: u16,
    /// Every node that takes part, this one among them.
    pub(crate) nodes: Vec<Node>,
    /// The cluster's addresses that this node directs.
    pub(crate) directed: HashSet<IpAddr>,
    /// Who directs each of the cluster's addresses; a machine in no cluster itself.
    pub(crate) directors: HashMap<IpAddr, u16>,
    /// This node's addresses at which the cluster's port is guarded.
    pub(crate) interconnect: Vec<IpAddr>,
}

impl Company {
    /// Of a machine in no cluster: it is its only node, and directs none of the cluster's
    /// addresses, which may be in use by a cluster that it is about to join.
    pub(crate) fn alone(config: &Config) -> Self {
        Self {
            number: 0,
            nodes: vec![Node {
                number: 0,
                name: own_name(config),
                addresses: config.node.addresses.clone(),
            }],
            directed: HashSet::new(),
            directors: HashMap::new(),
            interconnect: Vec::new(),
        }
    }

    /// This node.
    pub(crate) fn own(&self) -> Option<&Node> {
        self.nodes.iter().find(|node| node.number == self.number)
    }
}

/// This node's name.
pub(crate) fn own_name(config: &Config) -> String {
    if !config.node.name.is_empty() {
        return config.node.name.clone();
    }
    nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl From<&Node> for NodeStatus {
    fn from(node: &Node) -> Self {
        Self {
            number: node.number.into(),
            name: node.name.clone(),
            addresses: node.addresses.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_alone_directs_nothing() {
        let config: Config = toml::from_str(
            "[node]\nname = \"me\"\n[[cvip]]\naddress = \"10.0.0.9\"\ninterface = \"e\"",
        )
        .unwrap();
        let alone = Company::alone(&config);
        assert_eq!(alone.own().map(|own| own.name.as_str()), Some("me"));
        assert!(alone.directed.is_empty());
    }
}
