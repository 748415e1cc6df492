//! Membership without I/O, clock or threads: the same in the daemon, in a property test
//! and in a simulation of a thousand nodes.

mod apply;
pub mod command;
pub mod cut;
pub mod duty;
pub mod engine;
pub mod follower;
mod id;
pub mod lease;
pub mod member;
pub mod message;
pub mod pair;
pub mod prober;
pub mod ring;
mod state;
#[cfg(test)]
mod testing;
mod time;
mod timing;
mod view;
pub mod voters;
pub mod witness;

pub use id::{MAX_NODES, NodeId, NotANumber, Number};
pub use state::State;
pub use time::Time;
pub use timing::{MOST_OBSERVERS, Timing};
pub use view::{Epoch, Master, Ownership, Transition, View};
