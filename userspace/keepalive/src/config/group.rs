//! What is said of processes that belong together: a `[[group]]` of a configuration file.

use serde::{Deserialize, Serialize};

use super::place::{Backup, Favoured, Place, Selection};
use crate::node::Node;

/// Processes that run on the same node, and stop and restart together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// Who belongs to it.
    pub members: Vec<String>,
    /// If one of these fails, all are restarted.
    #[serde(default)]
    pub critical: Vec<String>,
    /// Where it runs when it can.
    #[serde(default)]
    pub favoured: Favoured,
    /// Where else it may run.
    #[serde(default)]
    pub backup: Backup,
    /// Which node, when it has to be another.
    #[serde(default)]
    pub restart_on: Option<Selection>,
    /// It may run on these only; empty: no such limit.
    #[serde(default)]
    pub nodes: Vec<Node>,
    /// It goes back to its favoured node when that can be had again.
    #[serde(default)]
    pub failback: bool,
    /// Says aloud whether it belongs to nodes that are named (true) or floats (false).
    #[serde(default)]
    pub pinned: Option<bool>,
}

impl Group {
    /// Where it runs.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            favoured: self.favoured,
            backup: self.backup.clone(),
            selection: self.restart_on,
            nodes: self.nodes.clone(),
            failback: self.failback,
        }
    }
}
