//! The connection scheduler (LVS): one address for the whole cluster.
//!
//! The core decides and touches nothing; [`runner`] moves what it decided into the maps of
//! the packet path, and keeps it across restarts.

pub mod runner;
