//! What the master should write next.

use std::collections::{BTreeMap, BTreeSet};

use super::Agreed;
use crate::core::Id;
use crate::placement::{self, Member, Move, Outlooks, Owner, Presence, Slot, Wanted};

impl Agreed {
    /// The moves that are due, with these nodes. What was drained is to be
    /// [`Draining`](Presence::Draining) among them ([`presence`](Self::presence)).
    #[must_use]
    pub fn plan(&self, members: &[Member], outlooks: &dyn Outlooks) -> Vec<Move> {
        let mut wanted = placement::wanted(&self.config, members);
        wanted.retain(|slot, what| self.may(slot, what, members));
        placement::plan(&wanted, members, &self.assignment, outlooks)
    }

    /// How a node that is UP counts.
    #[must_use]
    pub fn presence(&self, node: crate::Node) -> Presence {
        if self.drained.contains(&node) {
            Presence::Draining
        } else {
            Presence::Up
        }
    }

    /// Whether a slot may be filled, or stay so. What stands still needs no place until it
    /// has one, and what may still run as part of something else must end there first.
    fn may(&self, slot: &Slot, what: &Wanted, members: &[Member]) -> bool {
        let owner = self.assignment.owner(slot);
        let is_gone = |life| {
            let member = members.iter().find(|member| member.id == life);
            member.is_none_or(|member| member.presence == Presence::Gone)
        };
        let free = owner.lives().all(is_gone);
        if !free {
            return true;
        }
        let still = what.ids.iter().all(|id| self.is_stopped(&id.process));
        !still && what.ids.iter().all(|id| !self.is_left(slot, id))
    }

    fn is_left(&self, slot: &Slot, id: &Id) -> bool {
        let mut left = self.left.iter();
        left.any(|(other, ids)| {
            let held = self.assignment.owner(other) != Owner::Nobody;
            other != slot && held && ids.contains(id)
        })
    }

    /// How many instances each process has somewhere, or is to have, by the node that has
    /// them; for whoever shows it.
    #[must_use]
    pub fn everywhere(&self) -> BTreeMap<Id, Owner> {
        let mut all = BTreeMap::new();
        for (slot, held) in &self.assignment.slots {
            let ids: BTreeSet<Id> = self.ids(slot);
            all.extend(ids.into_iter().map(|id| (id, held.owner)));
        }
        all
    }
}
