//! The connection scheduler: one address for the whole cluster.
//!
//! [`core`] is pure: commands and facts go in, writes to the kernel's maps come out.
//! [`runner`] carries them out, and brings in the facts.

pub mod core;
pub mod runner;
