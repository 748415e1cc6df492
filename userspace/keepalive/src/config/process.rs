//! What is said of one process: a `[[process]]` of a configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::balance::{self, Balance};
use super::limits::{CgroupLimits, Rlimits};
use super::place::{Backup, Favoured, Place, Selection};
use super::restart::{Backoff, LogFile, StopSignal};
use super::seconds::Span;
use super::test::{Health, Ready};
use crate::node::Node;

/// A process that is kept alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// What it is called: letters, digits, `_ . @ -`.
    pub name: String,
    /// The program, an absolute path.
    pub path: PathBuf,
    /// Its arguments, without the program's own name.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment, besides `PATH` and what supervision tells it.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The user it runs as, by name or number; root if it isn't said.
    #[serde(default)]
    pub user: Option<String>,
    /// The group it runs as; the user's own if it isn't said.
    #[serde(default)]
    pub group: Option<String>,
    /// The directory it starts in; `/` if it isn't said.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Limits of each of its processes.
    #[serde(default)]
    pub rlimits: Rlimits,
    /// Limits of all of them together.
    #[serde(default)]
    pub cgroup: CgroupLimits,
    /// Whether it is started by itself ("autorestart enabled" of the original).
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How many of it run: in the cluster, or on each node if it is favoured by all.
    #[serde(default = "one")]
    pub instances: u32,

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
    /// When it is moved on purpose, it is ready on the new node before it ends on the old
    /// one: for a moment it runs on both.
    #[serde(default)]
    pub overlap: bool,
    /// Virtual services that it is a real server of while it is ready.
    #[serde(default, deserialize_with = "balance::one_or_more")]
    pub balance: Vec<Balance>,

    /// Errors within this time count.
    #[serde(default = "Process::default_probation")]
    pub probation: Span,
    /// So many errors within the probation, and it is not restarted any more.
    #[serde(default = "Process::default_error_limit")]
    pub error_limit: u32,
    /// What asks it to end.
    #[serde(default)]
    pub stop_signal: StopSignal,
    /// How long it may take to end after that before SIGKILL.
    #[serde(default = "Process::default_term_wait")]
    pub term_wait: Span,
    /// If it lived for less than this, this long passes before it is restarted.
    #[serde(default)]
    pub respawn_time: Span,
    /// How long passes before it is restarted, if it fails again and again.
    #[serde(default)]
    pub backoff: Backoff,
    /// Exit codes that mean: don't restart me.
    #[serde(default)]
    pub down: Vec<u8>,
    /// Exit codes that mean: I can't run on this node, try another.
    #[serde(default)]
    pub reject: Vec<u8>,

    /// Processes that must be ready before this one is started.
    #[serde(default)]
    pub after: Vec<String>,
    /// What says that it is ready; nothing: it is as soon as it runs.
    #[serde(default)]
    pub ready: Option<Ready>,
    /// How long it may take to become ready.
    #[serde(default = "Process::default_ready_timeout")]
    pub ready_timeout: Span,
    /// Whether it is still well.
    #[serde(default)]
    pub health: Option<Health>,
    /// It says `WATCHDOG=1` at least so often, or is restarted.
    #[serde(default)]
    pub watchdog: Option<Span>,
    /// It goes into the background: what was started ends, and another process goes on.
    #[serde(default)]
    pub daemonize: bool,
    /// Where what it writes goes.
    #[serde(default)]
    pub log: LogFile,
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

impl Process {
    /// A process of this name and program, everything else as it is by default.
    #[must_use]
    pub fn new(name: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            args: Vec::new(),
            environment: BTreeMap::new(),
            user: None,
            group: None,
            cwd: None,
            rlimits: Rlimits::new(),
            cgroup: CgroupLimits::default(),
            enabled: true,
            instances: 1,
            favoured: Favoured::default(),
            backup: Backup::default(),
            restart_on: None,
            nodes: Vec::new(),
            failback: false,
            pinned: None,
            overlap: false,
            balance: Vec::new(),
            probation: Self::default_probation(),
            error_limit: Self::default_error_limit(),
            stop_signal: StopSignal::default(),
            term_wait: Self::default_term_wait(),
            respawn_time: Span::default(),
            backoff: Backoff::default(),
            down: Vec::new(),
            reject: Vec::new(),
            after: Vec::new(),
            ready: None,
            ready_timeout: Self::default_ready_timeout(),
            health: None,
            watchdog: None,
            daemonize: false,
            log: LogFile::default(),
        }
    }

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

    /// As the original had it.
    const fn default_probation() -> Span {
        Span::secs(300)
    }

    /// As the original had it.
    const fn default_error_limit() -> u32 {
        10
    }

    /// As the original had it.
    const fn default_term_wait() -> Span {
        Span::secs(2)
    }

    const fn default_ready_timeout() -> Span {
        Span::secs(60)
    }
}
