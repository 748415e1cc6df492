//! Internode communication: calls between nodes, by priority, throttled, with an honest
//! nodedown.
//!
//! [`core`] is pure: frames, calls and the time go in, frames and completions come out.
//! [`runner`] has the sockets.

pub mod core;
pub mod runner;
