//! Who the nodes of the cluster are.
//!
//! Until there is membership, the configuration says. Everything else in the daemon asks
//! here, so this file is all that changes then.

use std::net::IpAddr;

use ssi_api::control::NodeStatus;

use crate::config::Config;

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) number: u32,
    pub(crate) name: String,
    /// Its addresses on the interconnect.
    pub(crate) addresses: Vec<IpAddr>,
}

/// Every node, this one among them. A machine in no cluster is its only node.
pub(crate) fn nodes(config: &Config) -> Vec<Node> {
    let mut nodes: Vec<Node> = config
        .cluster
        .nodes
        .iter()
        .map(|member| Node {
            number: member.number,
            name: member.name.clone(),
            addresses: [
                member.address.map(IpAddr::from),
                member.address6.map(IpAddr::from),
            ]
            .into_iter()
            .flatten()
            .collect(),
        })
        .collect();
    if nodes.is_empty() {
        nodes.push(Node {
            number: config.node.number,
            name: own_name(config),
            addresses: Vec::new(),
        });
    }
    nodes
}

/// This node.
pub(crate) fn own(config: &Config) -> Node {
    let mut nodes = nodes(config).into_iter();
    let mut own = nodes
        .find(|node| node.number == config.node.number)
        .unwrap_or_else(|| Node {
            number: config.node.number,
            name: String::new(),
            addresses: Vec::new(),
        });
    own.name = own_name(config);
    own
}

fn own_name(config: &Config) -> String {
    if !config.node.name.is_empty() {
        return config.node.name.clone();
    }
    nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl From<Node> for NodeStatus {
    fn from(node: Node) -> Self {
        Self {
            number: node.number,
            name: node.name,
            addresses: node.addresses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_and_among_others() {
        let alone: Config = toml::from_str("[node]\nname = \"me\"").unwrap();
        assert_eq!(nodes(&alone).len(), 1);
        assert_eq!(own(&alone).name, "me");
        let two: Config = toml::from_str(
            "[node]\nnumber = 2\nname = \"b\"\n\
             [[cluster.nodes]]\nnumber = 1\nname = \"a\"\naddress = \"10.0.0.1\"\n\
             [[cluster.nodes]]\nnumber = 2\nname = \"b\"\naddress = \"10.0.0.2\"\naddress6 = \"fd00::2\"\n",
        )
        .unwrap();
        assert_eq!(nodes(&two).len(), 2);
        assert_eq!(own(&two).addresses.len(), 2);
    }
}
