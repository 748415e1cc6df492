//! Internode communication: calls between nodes, by priority, throttled, with an honest
//! nodedown.
//!
//! [`core`] is pure: frames, calls and the time go in, frames and completions come out.

pub mod core;
