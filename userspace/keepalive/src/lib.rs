//! Supervision: what must run keeps running, on one node or another.
//!
//! [`config`] is what operators write, [`core`] is one node's part in it, [`placement`] says
//! which node runs what. All are pure: no I/O, no clock.

pub mod config;
pub mod core;
mod node;
pub mod placement;

pub use node::{Node, NotANode};
