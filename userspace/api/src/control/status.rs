use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::cluster::NodeState;

/// A node as it is now (`ssi status`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Who.
    pub node: NodeStatus,
    /// Of `ssid`.
    pub version: String,
    /// Of the maps and programs in the kernel.
    pub abi: u32,
    /// The running kernel's release.
    pub kernel: String,
    /// Seconds since `ssid` started.
    pub uptime: u64,
    /// Process id of `ssid`.
    pub pid: u32,
    /// Resident memory of `ssid`, bytes.
    pub memory: u64,
    /// Whether `ssid` found its data path in the kernel and took it over, rather than
    /// loading it.
    pub adopted: bool,
    /// The cluster's name.
    pub cluster: String,
    /// How this node stands in its cluster; none: it has never been in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberStatus>,
    /// The cluster's nodes, this one among them.
    pub nodes: Vec<NodeStatus>,
    /// Interfaces with our programs.
    pub interfaces: Vec<Attached>,
    /// The cluster's virtual addresses.
    pub cvips: Vec<CvipStatus>,
    /// How many virtual services there are.
    pub services: u32,
    /// How many real servers they have together.
    pub servers: u32,
    /// What the programs counted, without the zeros.
    pub counters: Vec<Counted>,
}

/// How a node stands in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// How far it is in its coming and going.
    pub state: NodeState,
    /// Which life of it this is; none: it is no member now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// The epoch of the view that it goes by.
    pub epoch: u64,
    /// Who leads, if anybody has been agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<u16>,
    /// Whether it has stopped what others may do instead, because it has no lease.
    pub fenced: bool,
    /// Why it can't go on, or what the cluster waits for; in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its number; 0 for a machine in no cluster.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its addresses on the interconnect.
    pub addresses: Vec<IpAddr>,
}

/// An interface with our programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Its name.
    pub interface: String,
    /// How packets reach the programs: `native`, `generic` or `tc`.
    pub mode: String,
    /// Why not by a better mode; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A cluster virtual address as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CvipStatus {
    /// The address.
    pub address: IpAddr,
    /// The external interface on which the director answers for it.
    pub interface: String,
    /// Number of the node that directs it.
    pub director: u32,
    /// Whether that is this node.
    pub here: bool,
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Which: a name of `ssi_abi::counter::NAMES`.
    pub name: String,
    /// How often, on all CPUs together.
    pub count: u64,
    /// Whether each count is a packet lost.
    pub drop: bool,
}
