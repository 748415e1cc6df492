//! Cluster membership: who belongs to the cluster, agreed by all, in the same order.
//!
//! [`core`] is pure: what comes in and the time go in, what to do comes out. [`log`] keeps the
//! voters in agreement about the view. [`runner`] is membership as it runs.

pub mod core;
pub mod log;
pub mod runner;
