use serde::{Deserialize, Serialize};

use super::{Behalf, Look, Reader, Target};

/// Requests about processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessRequest {
    /// The processes as they are now: of this node, if it is in no cluster, else of all
    /// members that are UP.
    List {
        /// Their arguments too: a file of /proc is read for each.
        #[serde(default)]
        args: bool,
        /// Of these nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<u16>>,
        /// Of each, only those with numbers above this.
        #[serde(default)]
        after: u32,
    },
    /// How busy the nodes are, and none of their processes: of this node, if it is in no
    /// cluster, else of all members that are UP.
    Loads {
        /// Of these nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<u16>>,
    },
    /// How many connections of clients the nodes forward: this node, if it is in no cluster,
    /// else all members that are UP.
    Forwarded {
        /// These nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<u16>>,
    },
    /// How long tasks wait for processors, where that is measured: on this node, if it is in no
    /// cluster, else on all members that are UP.
    Waits {
        /// On these nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<u16>>,
    },
    /// The pids of all processes, and nothing else of them: of this node, if it is in no
    /// cluster, else of all members that are UP.
    Pids {
        /// Of these nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<u16>>,
    },
    /// Look at something of one process, with the rights of whoever asks.
    Look {
        /// On which node; none: on this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<u16>,
        /// Its number there.
        pid: u32,
        /// At what.
        what: Look,
        /// With the rights of this user instead, which is for root to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reader: Option<Reader>,
    },
    /// Look at what everybody may see of all processes of a node, as far as it goes into one
    /// reply, with the rights of whoever asks.
    Sweep {
        /// Which node; none: this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<u16>,
        /// Only at processes with numbers above this.
        #[serde(default)]
        after: u32,
        /// As for a look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reader: Option<Reader>,
    },
    /// Send a signal, with the rights of whoever asks.
    Signal {
        /// Its number; 0: only see whether it could be sent.
        signal: i32,
        /// Whom to.
        targets: Vec<Target>,
        /// The numbers are of sessions.
        #[serde(default)]
        sessions: bool,
        /// With the rights of this user instead, which is for root to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behalf: Option<Behalf>,
    },
    /// Change the niceness of processes, all their threads, with the rights of whoever asks.
    Nice {
        /// What it shall be, −20 to 19.
        nice: i32,
        /// So much more than it is.
        #[serde(default)]
        relative: bool,
        /// Whose; processes only.
        targets: Vec<Target>,
        /// As for a signal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behalf: Option<Behalf>,
    },
}
