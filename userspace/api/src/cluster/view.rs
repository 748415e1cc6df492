use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::NodeState;

/// The cluster as this node knows it (`ssi cluster`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// The cluster's name.
    pub name: String,
    /// Its identity, hexadecimal: no other cluster has it.
    pub identity: String,
    /// This node's number.
    pub node: u16,
    /// Which life of it this is; none: it is no member now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// How many nodes the cluster can have, and so the largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_nodes: Option<u16>,
    /// Counts the changes of the view.
    pub epoch: u64,
    /// Who leads, if anybody has been agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<u16>,
    /// Numbers of the nodes that vote about the view.
    pub voters: Vec<u16>,
    /// The witness, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessView>,
    /// Whether this node has stopped what others may do instead, because it has no lease.
    pub fenced: bool,
    /// Why this node can't go on, or what the cluster waits for; in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Known on the master: which nodes have not taken in the last change, and which of
    /// their subsystems are at work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Every node that is known, by number.
    pub nodes: Vec<MemberView>,
    /// What has one owner at a time.
    pub resources: Vec<ResourceView>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Which life of it, from 1.
    pub incarnation: u32,
    /// How far it is.
    pub state: NodeState,
    /// The epoch in which it came into that state.
    pub epoch: u64,
    /// When that was, as this node saw it, in seconds since 1970; none: before this node
    /// looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Why it is out, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its addresses on the interconnect.
    pub addresses: Vec<IpAddr>,
    /// Its kernel's release.
    pub kernel: String,
    /// Its CPUs.
    pub cpus: u32,
    /// Its memory, bytes.
    pub memory: u64,
    /// Its `ssid`.
    pub version: String,
    /// Whether it may become a voter, and so the master.
    pub potential_master: bool,
    /// SHA-256 of its certificate, hexadecimal.
    pub fingerprint: String,
    /// For how many seconds its `ssid` has said nothing though its kernel answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalled: Option<u64>,
}

/// A node that has not taken in the last change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub node: u16,
    /// Its subsystems that are still at work.
    pub subsystems: Vec<String>,
}

/// A voter that is no node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessView {
    /// Where it listens.
    pub address: SocketAddr,
}

/// Something that has one owner at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceView {
    /// What, for example `cvip 10.88.0.100`.
    pub name: String,
    /// Whose it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<u16>,
    /// The epoch since which.
    pub epoch: u64,
}

/// A transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The epoch that it led to.
    pub epoch: u64,
    /// When this node saw it, in seconds since 1970.
    pub at: u64,
    /// Which node.
    pub node: u16,
    /// Which life of it.
    pub incarnation: u32,
    /// Where it was.
    pub from: NodeState,
    /// Where it went.
    pub to: NodeState,
    /// Why it is out, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A join token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What is to be typed at the node that joins.
    pub token: String,
    /// Until when it is valid, in seconds since 1970.
    pub expires: u64,
}
