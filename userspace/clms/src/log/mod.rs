//! The view log: what the potential masters agree on, by Raft.

mod config;
mod generation;
mod heartbeat;
mod leading;
mod machine;
mod seat;
mod standing;
mod store;
mod witness;

pub use config::{ViewLog, config};
pub use generation::Generation;
pub use heartbeat::Heartbeat;
pub use leading::Leading;
pub use machine::{Applied, Machine, News};
pub use seat::{Leadership, NotWritten, Seat};
pub use store::Store;

/// The node numbers of voters, as the log counts them.
pub type Voter = u16;

/// The number of the voter that is no node.
pub const WITNESS: Voter = crate::core::witness::NUMBER;

/// This node's part in the log.
pub type Raft = openraft::Raft<ViewLog, Machine>;
