//! What the view says of one node.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Epoch, NodeId, State};

/// A node's public key: the SHA-256 of its certificate.
pub type Key = [u8; 32];

/// What a node tells about itself when it joins; nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The kernel's release.
    pub kernel: String,
    /// CPUs online.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// The version of `ssid`.
    pub version: String,
}

/// Who a node says it is when it joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its host name.
    pub name: String,
    /// Its addresses on the interconnect, at least one.
    pub addresses: Vec<IpAddr>,
    /// Its public key. A number belongs to the key that joined with it first.
    pub key: Key,
    /// Tells its lives apart before they have an incarnation: random for each.
    pub life: u64,
    /// Whether it may become a voter, and so the master.
    pub potential_master: bool,
    /// What else it tells.
    pub facts: Facts,
}

/// A node in the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its number and which life of it.
    pub id: NodeId,
    /// How far it is in its coming and going.
    pub state: State,
    /// The epoch in which it came into that state.
    pub since: Epoch,
    /// Why it went, if it has gone.
    pub why: Option<Why>,
    /// Who it is.
    pub candidate: Candidate,
}

/// Why a node is no member any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its observers found it dead.
    Unreachable,
    /// It could not renew its lease, though some observers reach it.
    LeaseLost,
    /// It has been started anew.
    Restarted,
    /// It left on its own wish.
    Left,
    /// An operator or a fencing device put it out.
    Fenced,
}
