use serde::{Deserialize, Serialize};

use super::Missing;

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// How busy a node is, in MOSIX's units: one process that always wants a processor of
/// standard speed is 100 on a node that has one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadView {
    /// In the last second.
    pub load: f64,
    /// What the node itself decides by: rises slowly, falls at once.
    pub mean: f64,
    /// What others decide by: rises at once, falls slowly.
    pub upper: f64,
    /// What one process adds.
    pub process: f64,
}

/// The parts of the last second, 0 to 1, in which at least one process could not go on for
/// want of each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PressureView {
    /// A processor.
    pub cpu: f64,
    /// Memory.
    pub memory: f64,
    /// Reading and writing.
    pub io: f64,
}

/// What a node has, and how much of it is wanted. Memory is in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusyView {
    /// Its load; none in the first second.
    pub load: Option<LoadView>,
    /// Processors that it may use; 0 in the first second, as is its memory.
    pub cpus: u32,
    /// Processes.
    pub processes: u32,
    /// Those of them that run or wait for a processor.
    pub running: u32,
    /// How long ago it was booted, in nanoseconds.
    pub up: u64,
    /// Memory in all.
    pub memory: u64,
    /// What programs can still have without swapping.
    pub free: u64,
    /// Swap in all.
    pub swap: u64,
    /// Swap that is free.
    pub swap_free: u64,
    /// Time lost; none if the kernel doesn't say.
    pub pressure: Option<PressureView>,
}

/// The loads of the nodes of a cluster, or of a machine in none: one node of number 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterLoads {
    /// The number of the node that was asked; 0 in no cluster.
    pub here: u16,
    /// In order of their numbers.
    pub nodes: Vec<NodeBusy>,
    /// Nodes that did not say, and why.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// What a node's balancing forwards for clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForwardedView {
    /// Established connections that it forwards, of all its virtual services together.
    pub active: u64,
    /// New connections a second, smoothed as [`Rates`](crate::lvs::Rates) are.
    pub rate: f64,
}

/// What nodes forward, by their numbers; a node that doesn't say is not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterForwarded {
    /// In order of their numbers; 0: the node that was asked, in no cluster.
    pub nodes: Vec<(u16, ForwardedView)>,
}

/// A node with its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeBusy {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// What it said.
    #[serde(flatten)]
    pub busy: BusyView,
}
