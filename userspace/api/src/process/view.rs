use serde::{Deserialize, Serialize};

use super::LoadView;

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// The processes of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessesView {
    /// Where it comes from: `tracing` or `/proc`.
    pub source: String,
    /// When this was: nanoseconds since boot.
    pub at: u64,
    /// When the node was booted: nanoseconds since 1970.
    pub booted: u64,
    /// Its memory, bytes.
    pub memory: u64,
    /// How busy it is; none in the first second.
    #[serde(default)]
    pub load: Option<LoadView>,
    /// In order of their numbers.
    pub processes: Vec<ProcessView>,
}

/// The processes of several nodes of a cluster, or of a machine that is in none: a node of number
/// 0, which has no name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterProcesses {
    /// The number of the node that was asked.
    pub here: u16,
    /// In order of their numbers.
    pub nodes: Vec<NodeProcesses>,
    /// Nodes whose processes are not known, and why.
    #[serde(default)]
    pub missing: Vec<Missing>,
    /// Nodes that had no room in this reply: ask again, for these.
    #[serde(default)]
    pub left: Vec<u16>,
    /// The last of [`nodes`](Self::nodes) has more processes than there was room for: ask again,
    /// for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

/// Processes of a node that had no room in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The node's number; 0: this machine, which is in no cluster.
    pub node: u16,
    /// They have numbers above this.
    pub after: u32,
}

/// A node of a cluster with its processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeProcesses {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// What it said; its times are its own.
    pub said: ProcessesView,
}

/// A node whose processes are not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its number.
    pub number: u16,
    /// Its name, if it has one.
    pub name: String,
    /// Why.
    pub why: String,
}

/// A process. Times are nanoseconds, those of all its threads together; memory is in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Its number.
    pub pid: u32,
    /// When it was forked: nanoseconds since boot.
    pub start: u64,
    /// Its parent.
    pub ppid: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Controlling terminal, as `/proc/PID/stat` has it; 0: none.
    pub tty: u32,
    /// Its cgroup's number; 0: not known.
    pub cgroup: u64,
    /// Processor time.
    pub run: u64,
    /// Time that it was ready and waited for a processor.
    pub wait: u64,
    /// Processor time in user mode.
    pub utime: u64,
    /// Processor time in the kernel.
    pub stime: u64,
    /// Times it gave the processor up.
    pub voluntary: u64,
    /// Times the processor was taken from it.
    pub involuntary: u64,
    /// Resident memory.
    pub rss: u64,
    /// Memory in swap.
    pub swap: u64,
    /// Address space.
    pub size: u64,
    /// The letter that ps has for what it does.
    pub state: char,
    /// How many threads it has.
    pub threads: u32,
    /// −20 to 19.
    pub nice: i32,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
    /// What it adds to the node's load lately; 100: a whole processor.
    pub load: f64,
    /// Name of its program.
    pub comm: String,
    /// Its arguments, if they were asked for and it has any.
    #[serde(default)]
    pub args: Vec<String>,
}
