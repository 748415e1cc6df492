//! How it goes with what was moved.

use std::collections::BTreeMap;

use super::Life;
use super::slot::Slot;

/// How it goes with a slot on a node that it was given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outlook {
    /// All of it is ready there; or is to stand still.
    Ready,
    /// It is not yet.
    Waits,
    /// It won't be: it is down there, or has taken too long.
    Failed,
}

/// What is moving, as whoever plans knows it.
pub trait Outlooks {
    /// How it goes with a slot on a node.
    fn of(&self, slot: &Slot, node: Life) -> Outlook;

    /// What was taken from nodes that are being drained, and from which: nothing else is taken
    /// from them until these are settled somewhere.
    fn moved(&self) -> &BTreeMap<Slot, Life>;
}
