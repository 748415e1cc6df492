//! Internode communication without I/O, clock or threads.
//!
//! Two nodes share one connection for each [`Lane`]. A [`Peer`] is the engine of one end:
//! it decides what goes over which lane and when, and what becomes of each call.
//!
//! **What a call can rely on.** It is dispatched at most once, and exactly once while both
//! nodes live and stay in the view, and their daemons run: a lost connection loses nothing, because each end keeps
//! what it sent until the other has acknowledged it, and sends the rest again over the next
//! connection. A call completes exactly once: with its reply, with its deadline, with its
//! cancellation, with [`CallError::NodeDown`] when the view says that the node has gone, or
//! with [`CallError::Restarted`] when its daemon was restarted while the node lived on, and
//! never because of a connection.

pub mod body;
pub mod credit;
mod error;
pub mod frame;
mod lane;
mod outgoing;
pub mod peer;
mod pending;
mod serving;
pub mod stats;

pub use error::{CallError, Failure};
pub use lane::{Lane, Priority};
pub use peer::Peer;

/// Number of a node, 1–511.
pub type Node = u16;

/// Epoch of a view.
pub type Epoch = u64;

/// Stable number of a service: a hash of its name.
pub type Service = u16;

/// A moment: the time since an arbitrary start of this node's own clock.
pub type Moment = std::time::Duration;
