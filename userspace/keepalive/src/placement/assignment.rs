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
    /// Two nodes: it moves on purpose, and may overlap. The old one has it until the new one
    /// is ready.
    Both {
        /// Who had it.
        old: Life,
        /// Who has it next.
        new: Life,
    },
    /// Two nodes, of which one was told to end it and has not said that it did.
    Handing {
        /// Who ends it.
        old: Life,
        /// Who keeps it.
        new: Life,
    },
}

impl Owner {
    /// Which node has it, for whoever shows it: of two, the one that is to stay.
    #[must_use]
    pub const fn life(self) -> Option<Life> {
        match self {
            Self::Nobody => None,
            Self::Runs(node) | Self::Leaving(node) => Some(node),
            Self::Both { old: node, .. } | Self::Handing { new: node, .. } => Some(node),
        }
    }

    /// Which nodes may have processes of it.
    pub fn lives(self) -> impl Iterator<Item = Life> {
        let lives = match self {
            Self::Nobody => [None, None],
            Self::Runs(node) | Self::Leaving(node) => [Some(node), None],
            Self::Both { old, new } | Self::Handing { old, new } => [Some(old), Some(new)],
        };
        lives.into_iter().flatten()
    }

    /// Whether a node is to run it.
    #[must_use]
    pub fn has(self, node: Life) -> bool {
        match self {
            Self::Nobody | Self::Leaving(_) => false,
            Self::Runs(owner) => owner == node,
            Self::Both { old, new } => old == node || new == node,
            Self::Handing { new, .. } => new == node,
        }
    }

    /// Whether a node was told to end it.
    #[must_use]
    pub fn leaves(self, node: Life) -> bool {
        match self {
            Self::Leaving(owner) => owner == node,
            Self::Handing { old, .. } => old == node,
            Self::Nobody | Self::Runs(_) | Self::Both { .. } => false,
        }
    }

    /// Who has it once a node was told to end it.
    fn taken(self, node: Life) -> Self {
        match self {
            Self::Runs(owner) if owner == node => Self::Leaving(node),
            Self::Both { old, new } if old == node => Self::Handing { old, new },
            Self::Both { old, new } if new == node => Self::Handing { old: new, new: old },
            _ => self,
        }
    }

    /// Who has it once a node has nothing of it any more.
    fn released(self, node: Life) -> Self {
        match self {
            Self::Leaving(owner) if owner == node => Self::Nobody,
            Self::Both { old, new } if old == node => Self::Runs(new),
            Self::Both { old, new } if new == node => Self::Runs(old),
            Self::Handing { old, new } if old == node => Self::Runs(new),
            Self::Handing { old, new } if new == node => Self::Leaving(old),
            _ => self,
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
    /// The node has ended it; or is gone, and another one has it too.
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
    /// Another node runs it too from now on, until the old one is told to end it.
    Overlap {
        /// What.
        slot: Slot,
        /// Who has it.
        old: Life,
        /// Who is to have it.
        new: Life,
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
                self.change(slot, |held| held.owner = held.owner.taken(*node));
            }
            Move::Released { slot, node } => {
                self.change(slot, |held| {
                    held.owner = held.owner.released(*node);
                    if let Owner::Runs(stays) = held.owner {
                        held.last = Some(stays.node);
                    }
                });
            }
            Move::Refused { slot, node } => {
                self.change(slot, |held| {
                    if held.owner.has(*node) {
                        held.refused.insert(node.node);
                    }
                });
            }
            Move::Overlap { slot, old, new } => {
                self.change(slot, |held| {
                    if held.owner == Owner::Runs(*old) && old != new {
                        let (old, new) = (*old, *new);
                        held.owner = Owner::Both { old, new };
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

    /// A node is to give away what it has: whoever refused some of it may be asked anew.
    pub(crate) fn ask_anew(&mut self, node: Node) {
        let held = self.slots.values_mut();
        let held = held.filter(|held| held.owner.lives().any(|life| life.node == node));
        held.for_each(|held| held.refused.clear());
    }

    fn change(&mut self, slot: &Slot, what: impl FnOnce(&mut Held)) {
        if let Some(held) = self.slots.get_mut(slot) {
            what(held);
        }
    }
}
