//! From how it is to how it is wanted, as far as that is safe now.

use std::collections::{BTreeMap, BTreeSet};

use super::assignment::{Assignment, Held, Move, Owner};
use super::choose::Field;
use super::slot::{Slot, Wanted};
use super::{Life, Member, Presence};
use crate::config::Favoured;
use crate::node::Node;

/// The moves that are due. An empty plan: everything that can run is where it is wanted, or
/// on its way.
///
/// A node that is being drained gives one thing away at a time.
#[must_use]
pub fn plan(
    wanted: &BTreeMap<Slot, Wanted>,
    members: &[Member],
    assignment: &Assignment,
) -> Vec<Move> {
    let mut planner = Planner {
        members: members.iter().map(|m| (m.id.node, *m)).collect(),
        field: Field::of(members),
        busy: BTreeSet::new(),
        moves: Vec::new(),
    };
    for held in assignment.slots.values() {
        if let Owner::Leaving(node) = held.owner
            && planner.presence(node) == Presence::Draining
        {
            planner.busy.insert(node);
        }
    }
    for (slot, wanted) in wanted {
        let nobody = Held::default();
        let held = assignment.slots.get(slot).unwrap_or(&nobody);
        planner.fill(slot, wanted, held);
    }
    for (slot, held) in &assignment.slots {
        if !wanted.contains_key(slot) {
            planner.empty(slot, held);
        }
    }
    planner.moves
}

struct Planner {
    members: BTreeMap<Node, Member>,
    field: Field,
    /// Nodes being drained that are giving something away.
    busy: BTreeSet<Life>,
    moves: Vec<Move>,
}

impl Planner {
    /// Who is in no list any more has been forgotten, which only those are that are down;
    /// who is in another life is over in this one.
    fn presence(&self, node: Life) -> Presence {
        let member = self.members.get(&node.node);
        let same = member.filter(|member| member.id == node);
        same.map_or(Presence::Gone, |member| member.presence)
    }

    /// Whether nothing of it can run any more, wherever it was.
    fn is_free(&self, owner: Owner) -> bool {
        let node = owner.life();
        node.is_none_or(|node| self.presence(node) == Presence::Gone)
    }

    fn fill(&mut self, slot: &Slot, wanted: &Wanted, held: &Held) {
        if self.is_free(held.owner) {
            let chosen = self.field.choose(slot, wanted, held);
            let chosen = chosen.and_then(|node| self.members.get(&node));
            if let Some(node) = chosen.map(|member| member.id) {
                self.field.give(node.node);
                self.moves.push(Move::Give {
                    slot: slot.clone(),
                    node,
                    from: held.owner,
                });
            }
            return;
        }
        let Owner::Runs(node) = held.owner else {
            return;
        };
        let leaves = match self.presence(node) {
            Presence::Up => self.is_wrong(slot, wanted, held, node.node),
            Presence::Draining => self.busy.insert(node),
            Presence::Lost | Presence::Gone => false,
        };
        if leaves {
            let slot = slot.clone();
            self.moves.push(Move::Take { slot, node });
        }
    }

    /// It runs where it must not, can't, or needn't any more.
    fn is_wrong(&self, slot: &Slot, wanted: &Wanted, held: &Held, node: Node) -> bool {
        if !self.field.may(wanted, node) {
            return true;
        }
        if held.refused.contains(&node) {
            let other = self.field.choose(slot, wanted, held);
            return other.is_some_and(|other| !held.refused.contains(&other));
        }
        match wanted.place.favoured {
            Favoured::Node(favoured) if wanted.place.failback && favoured != node => {
                self.field.may(wanted, favoured) && !held.refused.contains(&favoured)
            }
            _ => false,
        }
    }

    /// Nobody wants it any more.
    fn empty(&mut self, slot: &Slot, held: &Held) {
        let (slot, from) = (slot.clone(), held.owner);
        if self.is_free(from) {
            self.moves.push(Move::Forget { slot, from });
        } else if let Owner::Runs(node) = from
            && self.presence(node) != Presence::Lost
        {
            self.moves.push(Move::Take { slot, node });
        }
    }
}
