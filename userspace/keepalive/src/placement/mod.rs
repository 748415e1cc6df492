//! Which node runs what.
//!
//! Pure: the configuration, the nodes, and who runs what go in; moves come out
//! ([`plan()`]). The same input gives the same moves on every node. Who runs what
//! ([`Assignment`]) is agreed on: one node plans, the moves are written to the view log, and
//! every node applies them there. So nothing has two owners:
//!
//! * Nothing is given to a node before the one that had it has released it, or is known to
//!   run nothing any more ([`Presence::Gone`]); but for what may overlap and is moved on
//!   purpose ([`Move::Overlap`]).
//! * What a node has that can't be reached stays that node's ([`Presence::Lost`]).
//!
//! Nothing moves that needn't.

mod assignment;
mod choose;
mod outlook;
mod plan;
mod slot;

pub use assignment::{Assignment, Held, Move, Owner};
pub use choose::Field;
pub use outlook::{Outlook, Outlooks};
pub use plan::plan;
pub use slot::{Slot, Wanted, wanted};

use serde::{Deserialize, Serialize};

use crate::node::Node;

/// One life of a node: what a node had in an earlier one, it has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Life {
    /// Its number.
    pub node: Node,
    /// How many times that number has joined. A node joins anew only after its last life
    /// is over for certain.
    pub life: u32,
}

/// A node, as far as placement goes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which, and which life of it.
    pub id: Life,
    /// Whether it can run things.
    pub presence: Presence,
    /// How busy it is, in thousandths of one processor. Must be the same wherever the
    /// same plan is to come out.
    pub load: u32,
    /// Whether it serves the root file system.
    pub root: bool,
}

/// Whether a node can run things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is UP.
    Up,
    /// It is UP and is to run nothing: it is being drained, or shuts down.
    Draining,
    /// It is out of the view, or on its way out, and may still run what it had.
    Lost,
    /// It runs nothing, for certain: its lease is over, it was fenced, or it said so.
    Gone,
}
