//! One tree of files for all nodes. So far: clusterwide /proc ([`proc`]).
//!
//! The tree is served by a process of its own, which `ssid` starts and which outlives it: what
//! is mounted stays, and a look that comes while no `ssid` runs waits for the next one.

mod keep;
pub mod proc;
mod role;

pub use keep::Tree;
pub use role::serve_if_asked;
