//! Supervision: what must run keeps running, on one node or another.
//!
//! [`config`] is what operators write.

pub mod config;
mod node;

pub use node::{Node, NotANode};
