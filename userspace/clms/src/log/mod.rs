//! The view log: what the potential masters agree on, by Raft.

mod config;
mod machine;
mod seat;
mod store;

pub use config::{ViewLog, config};
pub use machine::{Applied, Machine, News};
pub use seat::{Leadership, NotWritten, Seat};
pub use store::Store;

/// The node numbers of voters, as the log counts them.
pub type Voter = u16;

/// This node's part in the log.
pub type Raft = openraft::Raft<ViewLog, Machine>;
