//! From how it is to how it is wanted, as far as that is safe now.

use std::collections::{BTreeMap, BTreeSet};

use super::assignment::{Assignment, Held, Move, Owner};
use super::choose::Field;
use super::outlook::{Outlook, Outlooks};
use super::slot::{Slot, Wanted};
use super::{Life, Member, Presence};
use crate::config::Favoured;
use crate::node::Node;

/// The moves that are due. An empty plan: everything that can run is where it is wanted, or
/// on its way.
///
/// A node that is being drained gives one thing away at a time, and the next one when that is
/// ready elsewhere.
#[must_use]
pub fn plan(
    wanted: &BTreeMap<Slot, Wanted>,
    members: &[Member],
    assignment: &Assignment,
    outlooks: &dyn Outlooks,
) -> Vec<Move> {
    let mut planner = Planner {
        members: members.iter().map(|m| (m.id.node, *m)).collect(),
        field: Field::of(members, assignment),
        outlooks,
        busy: BTreeSet::new(),
        moves: Vec::new(),
    };
    planner.look_who_is_busy(wanted, assignment);
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

struct Planner<'a> {
    members: BTreeMap<Node, Member>,
    field: Field,
    outlooks: &'a dyn Outlooks,
    /// Nodes being drained that are giving something away.
    busy: BTreeSet<Life>,
    moves: Vec<Move>,
}

impl Planner<'_> {
    fn look_who_is_busy(&mut self, wanted: &BTreeMap<Slot, Wanted>, assignment: &Assignment) {
        for held in assignment.slots.values() {
            if let Owner::Leaving(node) | Owner::Both { old: node, .. } = held.owner {
                self.busy.insert(node);
            }
            // Whoever ends what another has may be the one that was tried in vain.
            if let Owner::Handing { old, new } = held.owner {
                self.busy.extend([old, new]);
            }
        }
        for (slot, from) in self.outlooks.moved() {
            let Some(wanted) = wanted.get(slot) else {
                continue;
            };
            let nobody = Held::default();
            let held = assignment.slots.get(slot).unwrap_or(&nobody);
            let on_its_way = match held.owner {
                Owner::Nobody => self.field.choose(slot, wanted, held).is_some(),
                Owner::Runs(node) if node != *from => {
                    self.outlooks.of(slot, node) == Outlook::Waits
                }
                _ => false,
            };
            if on_its_way {
                self.busy.insert(*from);
            }
        }
    }

    /// Who is in no list any more has been forgotten, which only those are that are down;
    /// who is in another life is over in this one.
    fn presence(&self, node: Life) -> Presence {
        let member = self.members.get(&node.node);
        let same = member.filter(|member| member.id == node);
        same.map_or(Presence::Gone, |member| member.presence)
    }

    fn is_gone(&self, node: Life) -> bool {
        self.presence(node) == Presence::Gone
    }

    /// Whether nothing of it can run any more, wherever it was.
    fn is_free(&self, owner: Owner) -> bool {
        owner.lives().all(|node| self.is_gone(node))
    }

    fn fill(&mut self, slot: &Slot, wanted: &Wanted, held: &Held) {
        if self.is_free(held.owner) {
            if let Some(node) = self.choose(slot, wanted, held) {
                self.field.give(slot, node.node);
                self.moves.push(Move::Give {
                    slot: slot.clone(),
                    node,
                    from: held.owner,
                });
            }
            return;
        }
        match held.owner {
            Owner::Runs(node) => self.move_on(slot, wanted, held, node),
            owner => self.settle(slot, wanted, held, owner),
        }
    }

    fn choose(&self, slot: &Slot, wanted: &Wanted, held: &Held) -> Option<Life> {
        let chosen = self.field.choose(slot, wanted, held)?;
        self.members.get(&chosen).map(|member| member.id)
    }

    /// Of something that one node has.
    fn move_on(&mut self, slot: &Slot, wanted: &Wanted, held: &Held, node: Life) {
        let leaves = match self.presence(node) {
            Presence::Up => self.is_wrong(slot, wanted, held, node.node),
            Presence::Draining => !self.busy.contains(&node),
            Presence::Lost | Presence::Gone => false,
        };
        if !leaves {
            return;
        }
        let here = self.presence(node) == Presence::Draining
            || self.field.may(wanted, node.node) && !held.refused.contains(&node.node);
        if wanted.overlap && here {
            match self.choose(slot, wanted, held) {
                Some(new) if held.refused.contains(&new.node) => {
                    // It failed wherever it was tried, and goes on where it is.
                    return;
                }
                Some(new) => {
                    self.busy.insert(node);
                    self.field.give(slot, new.node);
                    let (slot, old) = (slot.clone(), node);
                    return self.moves.push(Move::Overlap { slot, old, new });
                }
                None => {}
            }
        }
        self.busy.insert(node);
        let slot = slot.clone();
        self.moves.push(Move::Take { slot, node });
    }

    /// Of something that two nodes have.
    fn settle(&mut self, slot: &Slot, wanted: &Wanted, held: &Held, owner: Owner) {
        if self.let_the_gone_go(slot, owner) {
            return;
        }
        let Owner::Both { old, new } = owner else {
            return;
        };
        let lost = |node| self.presence(node) == Presence::Lost;
        if lost(old) || lost(new) {
            return;
        }
        let refused = held.refused.contains(&new.node);
        let outlook = self.outlooks.of(slot, new);
        if outlook == Outlook::Failed && !refused {
            let (slot, node) = (slot.clone(), new);
            self.moves.push(Move::Refused { slot, node });
        }
        let wrong = refused || outlook == Outlook::Failed || !self.field.may(wanted, new.node);
        let leaves = if wrong {
            new
        } else if outlook == Outlook::Ready {
            old
        } else {
            return;
        };
        let slot = slot.clone();
        self.moves.push(Move::Take { slot, node: leaves });
    }

    /// Of two that have something, one is gone: the other one has it alone.
    fn let_the_gone_go(&mut self, slot: &Slot, owner: Owner) -> bool {
        let (Owner::Both { old, new } | Owner::Handing { old, new }) = owner else {
            return false;
        };
        let gone = [old, new].into_iter().find(|node| self.is_gone(*node));
        if let Some(node) = gone {
            let slot = slot.clone();
            self.moves.push(Move::Released { slot, node });
        }
        gone.is_some()
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
        let from = held.owner;
        if self.is_free(from) {
            let slot = slot.clone();
            return self.moves.push(Move::Forget { slot, from });
        }
        if self.let_the_gone_go(slot, from) {
            return;
        }
        if let Owner::Runs(node) | Owner::Both { old: node, .. } = from
            && self.presence(node) != Presence::Lost
        {
            let slot = slot.clone();
            self.moves.push(Move::Take { slot, node });
        }
    }
}
