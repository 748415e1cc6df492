//! Two potential masters without a tie-breaker: one of them is the only voter, and whether
//! the other may go on without it is nothing that either can find out by itself.
//!
//! Whoever takes over founds the log anew, in its next generation, from the view that it
//! has. The generation is the upper part of an epoch, so that whatever goes by epochs goes
//! by generations too.

use std::sync::Arc;

use super::command::{ProbeKey, Refused};
use super::member::{Candidate, Member, Why};
use super::{Epoch, NodeId, Number, State, View};

/// Lower bits of an epoch: how often the view has changed within its generation.
const CHANGES: u32 = 40;

/// How often the log has been founded anew before `epoch`.
#[must_use]
pub const fn generation(epoch: Epoch) -> u64 {
    epoch >> CHANGES
}

/// How often the view has changed in its generation, up to `epoch`.
#[must_use]
pub const fn changes(epoch: Epoch) -> u64 {
    epoch & ((1 << CHANGES) - 1)
}

/// What a node of a pair without a tie-breaker waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The other is the only voter and says nothing: until it comes back, or an external
    /// fencing device or an operator says that it is off.
    ForVoter(Number),
    /// This node is the only voter and begins a new life. These may have taken over in the
    /// meantime: until they say that they have not, or an operator that they are off.
    ForPartners(Vec<Number>),
}

impl View {
    /// The only voter there is, if there is only one and no witness.
    #[must_use]
    pub fn only_voter(&self) -> Option<Number> {
        match self.voters[..] {
            [only] if !self.witness_votes() => Some(only),
            _ => None,
        }
    }

    /// Nodes that may have taken over while the only voter, `voter`, was off: all that could
    /// become masters, but for those that have left, and those that were down before it
    /// came to be the only voter: a node takes over only from a view with one voter.
    pub fn partners(&self, voter: Number) -> impl Iterator<Item = &Member> {
        let others = self.members.values().map(Arc::as_ref);
        others.filter(move |member| {
            let left = !member.state.is_member() && member.why == Some(Why::Left);
            let was_out = member.state == State::Down && member.since < self.voters_since;
            member.candidate.potential_master && member.id.number != voter && !left && !was_out
        })
    }

    /// Whether `number` may found the log anew, once the only voter is surely off.
    ///
    /// # Errors
    /// Why not.
    pub fn can_take_over(&self, number: Number, candidate: &Candidate) -> Result<(), Refused> {
        let known = self.members.get(&number);
        let known = known.ok_or(Refused::NoSuchNumber(number))?;
        if known.candidate.key != candidate.key {
            return Err(Refused::NumberTaken(number));
        }
        let left = !known.state.is_member() && known.why == Some(Why::Left);
        match self.only_voter() {
            Some(voter) if voter != number && candidate.potential_master && !left => Ok(()),
            _ => Err(Refused::NothingToTakeOver),
        }
    }

    /// The view with which `number` founds the log anew. The voter until now is off.
    pub(super) fn taken_over(
        &self,
        number: Number,
        candidate: &Candidate,
        probe_key: [u64; 2],
    ) -> Result<Self, Refused> {
        self.can_take_over(number, candidate)?;
        let mut view = self.clone();
        view.epoch = (generation(self.epoch) + 1) << CHANGES;
        if let Some(off) = self.voters.first().and_then(|voter| self.current(*voter)) {
            view.remove(&[(off, Why::Fenced)], probe_key, view.epoch)?;
        } else {
            view.probe_keys[1] = view.probe_keys[0];
            view.probe_keys[0] = ProbeKey {
                id: view.probe_keys[0].id.checked_add(1).unwrap_or(1),
                words: probe_key,
            };
        }
        view.voters = vec![number];
        view.voters_since = view.epoch;
        let known = self.members.get(&number);
        let goes_on =
            |known: &Arc<Member>| known.state.is_member() && known.candidate.life == candidate.life;
        if let Some(known) = known
            && !goes_on(known)
        {
            let id = NodeId {
                number,
                incarnation: known.id.incarnation + 1,
            };
            let anew = Member {
                id,
                state: State::ComingUp,
                since: view.epoch,
                why: None,
                candidate: candidate.clone(),
            };
            view.members.insert(number, Arc::new(anew));
        }
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::command::Command;
    use crate::core::testing::{candidate, id, number, view_of};

    fn out(view: &mut View, of: u16, why: Why) {
        let steps = [
            Command::Remove {
                nodes: vec![(id(of), why)],
                probe_key: [0; 2],
            },
            Command::Step {
                nodes: vec![id(of)],
                to: State::UCleanup,
            },
            Command::Step {
                nodes: vec![id(of)],
                to: State::Down,
            },
        ];
        for step in steps {
            view.apply(&step).unwrap();
        }
    }

    fn voters(view: &mut View, of: &[u16]) {
        let voters = of.iter().map(|of| number(*of)).collect();
        let witness = false;
        view.apply(&Command::Voters { voters, witness }).unwrap();
    }

    fn partners(view: &View) -> Vec<u16> {
        let partners = view.partners(number(1));
        partners.map(|one| one.id.number.get()).collect()
    }

    #[test]
    fn whoever_may_have_taken_over_is_asked() {
        let mut view = view_of(3);
        assert_eq!(partners(&view), [2, 3]);
        out(&mut view, 3, Why::Unreachable);
        assert_eq!(partners(&view), [2, 3], "it knew a view with one voter");
        out(&mut view, 2, Why::Left);
        assert_eq!(partners(&view), [3], "who has left takes nothing over");

        let mut view = view_of(3);
        voters(&mut view, &[1, 2, 3]);
        assert_eq!(view.only_voter(), None);
        out(&mut view, 3, Why::Unreachable);
        voters(&mut view, &[1]);
        assert_eq!(partners(&view), [2], "3 was out before there was one voter");
    }

    #[test]
    fn what_is_founded_anew_comes_after_all_there_was() {
        let view = view_of(3);
        let anew = view.taken_over(number(2), &candidate(2), [5, 6]).unwrap();
        assert!(anew.epoch > view.epoch && generation(anew.epoch) == 1);
        assert_eq!(changes(anew.epoch), 0);
        assert_eq!(
            (anew.only_voter(), anew.voters_since),
            (Some(number(2)), anew.epoch)
        );
        assert_eq!(anew.members[&number(1)].state, State::KCleanup);
        assert_eq!(
            anew.current(number(2)),
            Some(id(2)),
            "the same life goes on"
        );
        assert_ne!(anew.probe_keys[0], view.probe_keys[0]);

        let mut reborn = candidate(2);
        reborn.life += 1;
        let anew = view.taken_over(number(2), &reborn, [5, 6]).unwrap();
        assert_eq!(anew.current(number(2)).map(|id| id.incarnation), Some(2));
    }

    #[test]
    fn not_everybody_takes_over() {
        let mut view = view_of(3);
        let refused = |view: &View, of| view.can_take_over(number(of), &candidate(of));
        assert_eq!(
            refused(&view, 1),
            Err(Refused::NothingToTakeOver),
            "the voter"
        );
        assert_eq!(refused(&view, 4), Err(Refused::NoSuchNumber(number(4))));
        out(&mut view, 3, Why::Left);
        assert_eq!(
            refused(&view, 3),
            Err(Refused::NothingToTakeOver),
            "it has left"
        );
        assert_eq!(refused(&view, 2), Ok(()));
        voters(&mut view, &[1, 2, 3]);
        assert_eq!(
            refused(&view, 2),
            Err(Refused::NothingToTakeOver),
            "three vote"
        );
    }
}
