//! `/etc/ssi/ssi.toml`.
//!
//! What may stand in it, with every default, is `default.toml` beside this file; that is
//! what `ssid --print-default-config` prints.

mod check;
mod load;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub(crate) use load::load;
use serde::{Deserialize, Serialize};
use ssi_mosix::load::STANDARD_SPEED;
use ssi_tree::proc::Places;

/// Every default, written and commented.
pub(crate) const DEFAULT_TEXT: &str = include_str!("default.toml");

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) node: Node,
    pub(crate) cluster: Cluster,
    pub(crate) cvip: Vec<Cvip>,
    pub(crate) network: Network,
    pub(crate) lvs: Lvs,
    pub(crate) control: Control,
    pub(crate) remote: Remote,
    pub(crate) state: State,
    pub(crate) bpf: Bpf,
    pub(crate) tree: Tree,
    pub(crate) processes: Processes,
    pub(crate) keepalive: Keepalive,
    pub(crate) hooks: Hooks,
    pub(crate) log: Log,
}

impl Config {
    /// Where sockets and whatever else ends with the machine's uptime is found.
    pub(crate) fn runtime(&self) -> PathBuf {
        let directory = self.control.socket.parent();
        directory.unwrap_or(Path::new("/run/ssi")).to_owned()
    }

    /// How the tree is served.
    pub(crate) fn tree(&self) -> ssi_tree::Tree {
        ssi_tree::Tree {
            places: Places {
                proc: self.tree.proc.clone(),
                shell: self.runtime().join(ssi_api::process::SHELL_PROC),
            },
            socket: self.control.socket.clone(),
            lock: self.runtime().join(ssi_api::process::PROC_LOCK),
        }
    }
}

/// This node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Node {
    /// Its name; empty: the host's.
    pub(crate) name: String,
    /// Its addresses on the interconnect, the one that others connect to first; empty: found
    /// out when it founds a cluster or joins one.
    pub(crate) addresses: Vec<IpAddr>,
    /// What it is good for, in words of the operator's: commands can be sent to a class.
    pub(crate) classes: Vec<String>,
    /// How fast one of its processors is, of which [`STANDARD_SPEED`] is standard.
    pub(crate) speed: u32,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            name: String::new(),
            addresses: Vec::new(),
            classes: Vec::new(),
            speed: STANDARD_SPEED,
        }
    }
}

/// The cluster, once this machine is in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cluster {
    /// How nodes protect what they say; a cluster that is founded here has it so for good.
    pub(crate) security: Security,
    /// Whether this node may vote about the view, and so become the master.
    pub(crate) potential_master: bool,
    /// What switches a node off; empty: nothing.
    pub(crate) fence: Vec<String>,
    /// Seconds that this may take.
    pub(crate) fence_timeout: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            security: Security::default(),
            potential_master: true,
            fence: Vec::new(),
            fence_timeout: 10,
        }
    }
}

/// How nodes protect what they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    #[default]
    Tls,
    Mac,
    None,
}

impl Security {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Mac => "mac",
            Self::None => "none",
        }
    }
}

/// A cluster virtual address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cvip {
    pub(crate) address: IpAddr,
    /// The external interface, on which the director answers for it.
    pub(crate) interface: String,
}

/// Where the packet path is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) interfaces: Vec<String>,
    pub(crate) mode: Mode,
}

/// How the packet path is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Auto,
    Native,
    Generic,
    Tc,
}

/// Sizes of the scheduler's tables; none: the defaults of `ssi_abi::limits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lvs {
    pub(crate) conns4: Option<u32>,
    pub(crate) conns6: Option<u32>,
    pub(crate) table_entries: Option<u32>,
}

/// The control socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Control {
    pub(crate) socket: PathBuf,
    pub(crate) group: String,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            socket: ssi_api::control::DEFAULT_SOCKET.into(),
            group: "ssi".to_owned(),
        }
    }
}

/// Remote execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Remote {
    /// Who may run commands on other nodes, besides root; empty: everybody.
    pub(crate) group: String,
}

impl Default for Remote {
    fn default() -> Self {
        Self {
            group: "ssi".to_owned(),
        }
    }
}

/// What outlives a reboot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) directory: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        Self {
            directory: "/var/lib/ssi".into(),
        }
    }
}

/// What outlives the daemon: everything is pinned below `root`/ssi.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Bpf {
    pub(crate) root: PathBuf,
    /// Where the nodes on this kernel find each other's ends of connections; none: what they
    /// say goes through the network stack.
    pub(crate) shared: Option<PathBuf>,
}

impl Default for Bpf {
    fn default() -> Self {
        Self {
            root: "/sys/fs/bpf".into(),
            shared: None,
        }
    }
}

/// The tree of files that all nodes have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tree {
    /// Where clusterwide /proc is mounted; empty: nowhere.
    pub(crate) proc: PathBuf,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            proc: "/cluster/proc".into(),
        }
    }
}

/// What is known of processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Processes {
    /// Whether it is measured how long tasks wait for a processor.
    pub(crate) waits: bool,
}

/// What is kept alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keepalive {
    /// A folder of a cgroup2 file system, which is made; empty: `ssi`, below where one is
    /// mounted.
    pub(crate) cgroup: PathBuf,
    /// Where what supervised processes write goes.
    pub(crate) logs: PathBuf,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            cgroup: PathBuf::new(),
            logs: "/var/log/ssi".into(),
        }
    }
}

/// What is run when nodes come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hooks {
    /// A folder of programs: a node has come UP.
    pub(crate) nodeup: PathBuf,
    /// A folder of programs: a node is out.
    pub(crate) nodedown: PathBuf,
    /// Seconds that each program may take.
    pub(crate) timeout: u64,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            nodeup: "/etc/ssi/nodeup.d".into(),
            nodedown: "/etc/ssi/nodedown.d".into(),
            timeout: 60,
        }
    }
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// As `RUST_LOG` has it: `info`, or `info,ssi_lvs=debug`.
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
        }
    }
}
