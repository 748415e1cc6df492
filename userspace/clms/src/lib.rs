//! Cluster membership: who belongs to the cluster, agreed by all, in the same order.
//!
//! [`core`] is pure: what comes in and the time go in, what to do comes out. [`log`] keeps the
//! voters in agreement about the view. [`runner`] is membership as it runs. [`door`] is for
//! those who are no members: newcomers, and nodes that were put out.

pub mod core;
pub mod door;
pub mod log;
pub mod runner;
