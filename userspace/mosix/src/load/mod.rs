//! How busy a node is.
//!
//! The units are those of MOSIX: one process that wants a processor all the time is a load
//! of [`PROCESS`], whether it gets one or has to wait. MOSIX added up the number of processes
//! that were ready at each clock tick; the kernel keeps exact account of what each has run
//! and waited, and the sum of both over an interval, divided by it, is that number's mean.
//! So [`Sampler`] takes two snapshots' difference instead.
//!
//! # Sources
//! The formulas and constants are those of MOSIX as its ports have them ("values taken from
//! MOSIX"):
//!
//! * Kerrighed's port, `kerrighed/scheduler/probes/mosix_probe.c`, "original work by Shiloh
//!   and Barak": [`Mean`], [`Upper`], [`ProcessLoad`], `HZ` units for one process.
//! * A. Meehan and T. Ritter, who instrumented openMosix: loads are multiplied by the
//!   standard speed and divided by the node's own; a new value each second.
//!
//! What openMosix adds to the load that it tells others (a stabilising factor, what
//! newcomers have used) belongs to the decision, not to the measure.

mod average;
mod capacity;
mod node;
mod pressure;
mod sampler;

pub use average::{Mean, ProcessLoad, Upper};
pub use capacity::{Capacity, STANDARD_SPEED};
pub use node::{Look, NodeLoad, Tell};
pub use pressure::{Memory, Shares, Stalls};
pub use sampler::{Ended, Key, Sample, Sampler, Usage};

/// The load of one process that always wants a processor: `HZ` of the kernels that MOSIX was
/// written for, one for each clock tick of a second.
pub const PROCESS: f64 = 100.0;
