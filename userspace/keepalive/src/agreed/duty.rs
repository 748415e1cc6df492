//! What follows for one node.

use std::collections::{BTreeMap, BTreeSet};

use super::Agreed;
use crate::core::{Carried, Id};
use crate::node::Node;
use crate::placement::{Life, Move, Slot};

/// What a node has to do about an instance. What isn't mentioned must not run there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Keep it alive; with what the node before knew of it.
    Run(Option<Carried>),
    /// End it.
    Leave,
    /// Let it be as it is: it was this node's in an earlier life and can be no other's, and the
    /// master is about to say that it is this one's too.
    Keep,
}

impl Agreed {
    /// What may run in a slot, wherever it is.
    #[must_use]
    pub fn ids(&self, slot: &Slot) -> BTreeSet<Id> {
        let mut ids = self.left.get(slot).cloned().unwrap_or_default();
        let mut groups = self.config.group.iter();
        match groups.find(|group| *group.name == *slot.name) {
            Some(group) => {
                let members = group.members.iter();
                ids.extend(members.map(|name| Id::new(name, slot.instance)));
            }
            None if ids.is_empty() => {
                ids.insert(Id::new(&slot.name, slot.instance));
            }
            None => {}
        }
        ids
    }

    /// In which slot an instance of the configuration runs.
    #[must_use]
    pub fn slot(&self, id: &Id) -> Slot {
        let group = self.config.group_of(&id.process);
        Slot {
            name: group.map_or_else(|| id.process.clone(), |group| (*group.name).into()),
            instance: id.instance,
        }
    }

    /// What a node has to do in a life of it; in none of its lives is anything left of
    /// another node's.
    #[must_use]
    pub fn duties(&self, me: Life) -> BTreeMap<Id, Duty> {
        let mut duties = BTreeMap::new();
        for (slot, held) in &self.assignment.slots {
            let mut lives = held.owner.lives();
            let Some(life) = lives.find(|life| life.node == me.node) else {
                continue;
            };
            for id in self.ids(slot) {
                let duty = if life != me {
                    // The master may be about to give it to another node.
                    if self.is_bound(&id.process) {
                        Duty::Keep
                    } else {
                        Duty::Leave
                    }
                } else if held.owner.has(me) {
                    Duty::Run(self.carried.get(&id).cloned())
                } else {
                    Duty::Leave
                };
                duties.insert(id, duty);
            }
        }
        duties
    }

    /// Which slots a node was told to end and has nothing of any more: what it should have
    /// written. `there`: whether it has an instance.
    pub fn released(&self, me: Life, there: impl Fn(&Id) -> bool) -> Vec<Move> {
        let leaving = |slot: &Slot| !self.ids(slot).iter().any(&there);
        let slots = self.assignment.slots.iter();
        let slots = slots.filter(|(slot, held)| held.owner.leaves(me) && leaving(slot));
        slots
            .map(|(slot, _)| Move::Released {
                slot: slot.clone(),
                node: me,
            })
            .collect()
    }

    /// Of slots that can't run on a node, it says: those it has not refused yet.
    pub fn refused<'a>(&self, me: Life, slots: impl IntoIterator<Item = &'a Slot>) -> Vec<Move> {
        let news = |slot: &&Slot| {
            let held = self.assignment.slots.get(*slot);
            held.is_some_and(|held| held.owner.has(me) && !held.refused.contains(&me.node))
        };
        let slots = slots.into_iter().filter(news);
        slots
            .map(|slot| Move::Refused {
                slot: slot.clone(),
                node: me,
            })
            .collect()
    }

    /// The slots that a node has, whether it is to end them or not.
    pub fn held_by(&self, node: Node) -> impl Iterator<Item = &Slot> {
        let slots = self.assignment.slots.iter();
        slots
            .filter(move |(_, held)| held.owner.lives().any(|life| life.node == node))
            .map(|(slot, _)| slot)
    }
}
