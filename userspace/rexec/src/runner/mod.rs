//! The I/O: surrogates, sessions, and the daemon's part in their meeting.

mod channel;
mod descriptors;
#[cfg(feature = "host")]
pub mod host;
mod keys;
mod news;
mod pass;
mod readiness;
mod scratch;
mod session;
mod signals;
mod surrogate;
mod talk;

pub use session::run as session;
pub use surrogate::{Terminals, Told, Wish, nodes, run as surrogate};
pub use talk::{NoAnswer, Talk};
