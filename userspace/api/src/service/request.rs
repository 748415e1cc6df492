use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Requests to supervision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceRequest {
    /// Change what is kept alive: processes and groups of these files come, or take the place
    /// of those of the same names. All of it or nothing.
    Apply {
        /// The files.
        files: Vec<ServiceFile>,
        /// Whether everything that is in none of them goes.
        #[serde(default)]
        only: bool,
        /// Whether it is only looked at.
        #[serde(default)]
        check: bool,
        /// What goes before the files, as options of `spawndaemon -r` or `-R`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<String>,
        /// Whether what comes stands still until it is started.
        #[serde(default)]
        stopped: bool,
    },
    /// How all instances are, on all nodes; or those of these processes and groups.
    List {
        /// Which; empty: all.
        #[serde(default)]
        names: Vec<String>,
    },
    /// What the configuration says, as a file.
    Text {
        /// Of these processes and groups; empty: of all.
        #[serde(default)]
        names: Vec<String>,
    },
    /// Have processes run.
    Start {
        /// Which: processes, or groups.
        names: Vec<String>,
    },
    /// Have processes stand still, until they are started.
    Stop {
        /// Which: processes, or groups.
        names: Vec<String>,
    },
    /// End and start processes, where they are.
    Restart {
        /// Which: processes, or groups.
        names: Vec<String>,
        /// What this node has of them: new connections go elsewhere first, and it is waited
        /// until they are ready. None: on all nodes at once, and nothing is waited for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<u16>,
    },
    /// Forget errors, and start what is down because of them.
    Clear {
        /// Which: processes, or groups.
        names: Vec<String>,
    },
    /// Keep a running process alive from now on, as an instance that doesn't run.
    Adopt {
        /// The process of the configuration.
        name: String,
        /// Which of its instances.
        #[serde(default)]
        instance: u32,
        /// On which node it runs; none: on this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<u16>,
        /// Its number there.
        pid: u32,
    },
    /// Keep something alive no longer.
    Remove {
        /// Which: processes, or groups.
        names: Vec<String>,
        /// Whether its processes go on, without supervision.
        #[serde(default)]
        keep: bool,
    },
    /// What an instance has written.
    Logs {
        /// The process.
        name: String,
        /// Which of its instances.
        #[serde(default)]
        instance: u32,
        /// On these nodes; none: on all where it has a log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<u16>,
        /// Of what was written before: so many lines.
        #[serde(default)]
        lines: u32,
        /// Behind these places only, by node, as an earlier reply has them; empty: the first
        /// time.
        #[serde(default)]
        after: BTreeMap<u16, u64>,
    },
    /// The last changes of state on all nodes, oldest first.
    Events {
        /// Of these processes; empty: of all.
        #[serde(default)]
        names: Vec<String>,
    },
    /// Have a node run nothing, or let it again.
    Drain {
        /// Which.
        node: u16,
        /// Whether it may again.
        #[serde(default)]
        undo: bool,
        /// Whether it may again as soon as it has left the cluster and comes back. Of the node
        /// that is asked only.
        #[serde(default)]
        leaving: bool,
    },
    /// Start nothing until further notice, or go on.
    Quiesce {
        /// Whether to go on.
        #[serde(default)]
        undo: bool,
    },
}

/// A file of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFile {
    /// What it is called in messages.
    pub name: String,
    /// Its content.
    pub text: String,
}
