//! The processes of this node: who is there, what they use, who came and went.
//!
//! [`core`] is pure: records and events in, state out. [`Tracker`] does the I/O: it reads
//! the kernel's iterator and ring of events where there is tracing ([`ssi_loader::Proc`]),
//! and [`procfs`] where there is none; the records are the same. [`machine`] tells what a
//! node has to give: processors, memory, pressure. [`signal`] sends signals on behalf of users,
//! [`priority`] changes niceness, [`look`] reads what /proc says on their behalf.

mod apart;
pub mod clock;
pub mod core;
mod error;
mod hold;
pub mod look;
pub mod machine;
pub mod priority;
pub mod procfs;
pub mod signal;
mod tracker;

pub use error::Error;
pub use tracker::{Source, Tracker};
