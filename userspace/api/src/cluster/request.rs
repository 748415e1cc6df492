use serde::{Deserialize, Serialize};

/// Requests to membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterRequest {
    /// The view, and how this node stands in it.
    Show,
    /// The last transitions that this node saw, oldest first.
    History,
    /// Founds a cluster of this node alone.
    Init {
        /// The cluster's name.
        name: String,
        /// This node's number; none: 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u16>,
    },
    /// Makes a join token.
    Token {
        /// Seconds that it is valid for.
        valid: u64,
    },
    /// Joins a cluster by way of one of its nodes. Answered when this node is UP.
    Join {
        /// Name or address of a node, with `:PORT` if it isn't the usual one.
        host: String,
        /// What `Token` made there.
        token: String,
        /// The number this node wants; none: the lowest that is free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u16>,
    },
    /// Leaves the cluster. Answered when this node is out; it keeps its number, and
    /// `Rejoin` takes it back.
    Leave,
    /// Comes back after `Leave`.
    Rejoin,
    /// Forgets a node that is DOWN: its number is free, its key is worth nothing.
    Forget {
        /// Which.
        number: u16,
    },
    /// Puts a node out.
    Evict {
        /// Which.
        number: u16,
    },
    /// An operator says that a node is surely off: nothing more is waited for before what
    /// it had goes to others.
    Fenced {
        /// Which.
        number: u16,
    },
    /// The witness does not vote any more.
    DropWitness,
}
