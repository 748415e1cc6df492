use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::process::Missing;

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// How everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicesView {
    /// The number of the node that was asked.
    pub here: u16,
    /// Every instance that is wanted or runs, by process and instance.
    pub instances: Vec<InstanceView>,
    /// Nodes that are to run nothing.
    pub drained: Vec<u16>,
    /// Whether nothing is started until further notice.
    pub quiesced: bool,
    /// Nodes that run something, or may, and did not say how it is.
    pub missing: Vec<Missing>,
}

/// How an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    /// The process.
    pub name: String,
    /// Which of its instances, from 0.
    pub instance: u32,
    /// The group that it belongs to.
    pub group: Option<String>,
    /// Its program.
    pub path: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// `start`, `ok`, `dead`, `respawn`, `down`, `shutdown`, `daemonize`; or `nowhere`, if no
    /// node has it, and `unknown`, if its node doesn't say.
    pub state: String,
    /// Which node has it.
    pub node: Option<u16>,
    /// The pid of its main process there.
    pub pid: Option<u32>,
    /// Milliseconds since it was last started.
    pub since: Option<u64>,
    /// How often it has failed since that was last cleared.
    pub errors: u64,
    /// How it last failed.
    pub last: Option<String>,
    /// Why it is in its state, and what gets it out of there.
    pub why: String,
}

/// A part of a configuration, as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceText {
    /// It.
    pub text: String,
    /// Names of its processes and groups.
    pub names: Vec<String>,
}

/// What became of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOutcome {
    /// The instances that it was about, as `web` or `web:1`, and where each is.
    pub instances: Vec<(String, Option<u16>)>,
    /// Nodes that did not do their part.
    pub missing: Vec<Missing>,
}

/// What an instance wrote, by the nodes on which it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsView {
    /// What there is to read.
    pub chunks: Vec<Chunk>,
    /// Where to go on, by node.
    pub next: BTreeMap<u16, u64>,
    /// Nodes that may have more and did not answer.
    pub missing: Vec<Missing>,
}

/// A piece of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Whose.
    pub node: u16,
    /// The text; what is no UTF-8 is replaced.
    pub text: String,
}

/// An instance went from one state to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// When, in milliseconds since 1970 by that node's clock.
    pub at: u64,
    /// On which node.
    pub node: u16,
    /// The process.
    pub name: String,
    /// Which of its instances.
    pub instance: u32,
    /// The state it was in.
    pub from: String,
    /// The state it is in.
    pub to: String,
    /// Why.
    pub why: String,
}
