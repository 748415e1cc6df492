//! Who runs what, as agreed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Life;
use super::slot::Slot;
use crate::node::Node;

/// Who runs what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Every slot that has an owner, or had one.
    pub slots: BTreeMap<Slot, Held>,
}

/// Who has a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Who may run it.
    pub owner: Owner,
    /// Who had it last.
    pub last: Option<Node>,
    /// Nodes that it said it can't run on.
    pub refused: BTreeSet<Node>,
}

/// Who may run what is in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// Nobody.
    #[default]
    Nobody,
    /// This node.
    Runs(Life),
    /// This node, which was told to end it and has not said that it did.
    Leaving(Life),
}

impl Owner {
    /// Which node may have processes of it.
    #[must_use]
    pub const fn life(self) -> Option<Life> {
        match self {
            Self::Nobody => None,
            Self::Runs(node) | Self::Leaving(node) => Some(node),
        }
    }
}

/// A change of who runs what; an entry of the view log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Move {
    /// This node runs it from now on.
    Give {
        /// What.
        slot: Slot,
        /// Who.
        node: Life,
        /// Who had it, and is gone; or nobody.
        from: Owner,
    },
    /// This node is to end it.
    Take {
        /// What.
        slot: Slot,
        /// Who.
        node: Life,
    },
    /// The node has ended it.
    Released {
        /// What.
        slot: Slot,
        /// Who.
        node: Life,
    },
    /// It can't run on that node, it says.
    Refused {
        /// What.
        slot: Slot,
        /// Where.
        node: Life,
    },
    /// Nobody wants it any more, and nobody has it.
    Forget {
        /// What.
        slot: Slot,
        /// Who had it, and is gone; or nobody.
        from: Owner,
    },
}

impl Assignment {
    /// Who has a slot.
    #[must_use]
    pub fn owner(&self, slot: &Slot) -> Owner {
        self.slots
            .get(slot)
            .map_or(Owner::Nobody, |held| held.owner)
    }

    /// Applies a move. A move that was planned before another one changed the same slot
    /// does nothing, and is planned again if it is still wanted.
    pub fn apply(&mut self, change: &Move) {
        match change {
            Move::Give { slot, node, from } => {
                if self.owner(slot) == *from {
                    let held = self.slots.entry(slot.clone()).or_default();
                    held.owner = Owner::Runs(*node);
                    held.last = Some(node.node);
                    // It had its chance everywhere: each may be asked anew.
                    if held.refused.contains(&node.node) {
                        held.refused.clear();
                    }
                }
            }
            Move::Take { slot, node } => {
                self.change(slot, |held| {
                    if held.owner == Owner::Runs(*node) {
                        held.owner = Owner::Leaving(*node);
                    }
                });
            }
            Move::Released { slot, node } => {
                self.change(slot, |held| {
                    if held.owner == Owner::Leaving(*node) {
                        held.owner = Owner::Nobody;
                    }
                });
            }
            Move::Refused { slot, node } => {
                self.change(slot, |held| {
                    if held.owner == Owner::Runs(*node) {
                        held.refused.insert(node.node);
                    }
                });
            }
            Move::Forget { slot, from } => {
                if self.owner(slot) == *from {
                    self.slots.remove(slot);
                }
            }
        }
    }

    fn change(&mut self, slot: &Slot, what: impl FnOnce(&mut Held)) {
        if let Some(held) = self.slots.get_mut(slot) {
            what(held);
        }
    }
}
