//! Who votes about the log.

use std::collections::{BTreeMap, BTreeSet};

use super::member::Why;
use super::{NodeId, Number, State, Time, Timing, View, witness};

/// Most voters: with five, two may fail at once; more make every entry slower.
const MOST: usize = 5;

/// Fewest votes with which any one may be missing.
const SAFE: usize = 3;

/// Who should vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The nodes.
    pub nodes: Vec<Number>,
    /// Whether the witness should.
    pub witness: bool,
}

impl Wanted {
    /// As the log counts voters.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        let nodes = self.nodes.iter().map(|number| number.get());
        nodes.chain(self.witness.then_some(witness::NUMBER))
    }
}

impl View {
    /// How many vote, with the witness.
    #[must_use]
    pub fn votes(&self) -> usize {
        self.voters.len() + usize::from(self.witness_votes())
    }

    /// Whether voters are to be made before any of `ready` goes up, which everybody has taken
    /// in: there are enough for three votes, and there are fewer. Else the founder of a young
    /// cluster could crash as its only voter, and those that are up could not go on.
    #[must_use]
    pub fn votes_first(&self, ready: &BTreeSet<NodeId>) -> bool {
        let able = self.present().filter(|member| {
            let is_up = member.state == State::Up || ready.contains(&member.id);
            is_up && member.candidate.potential_master
        });
        let seated = self.witness.as_ref().is_some_and(|seated| !seated.goes);
        let enough = match able.count() {
            0 | 1 => false,
            2 => seated,
            _ => true,
        };
        enough && self.votes() < SAFE && !ready.is_empty()
    }
}

/// Since when voters are gone.
#[derive(Clone, Debug, Default)]
pub struct Voters {
    gone: BTreeMap<Number, Time>,
}

impl Voters {
    /// Who should vote, if that is not who votes now: 1, 3 or 5 of the potential masters;
    /// if there are two, both and the witness, or without a witness one.
    /// Voters stay what they are if they can. One that is gone is replaced when it has
    /// been so for [`Timing::revote`] and somebody can take its place; at once if it left, is
    /// about to, or was put out, as it does not come back by itself. The master stays a
    /// voter: the others promised to elect nobody else for a while, and voters without it
    /// would know nothing of that.
    ///
    /// `ready`: who is coming up and is taken in by everybody. Such a one votes before it is
    /// up if there are too few votes ([`View::votes_first`]).
    pub fn wanted(
        &mut self,
        now: Time,
        view: &View,
        ready: &BTreeSet<NodeId>,
        timing: &Timing,
    ) -> Option<Wanted> {
        self.gone
            .retain(|number, _| view.voters.contains(number) && view.current(*number).is_none());
        for number in &view.voters {
            if view.current(*number).is_none() {
                self.gone.entry(*number).or_insert(now);
            }
        }
        let master = view.master.map(|master| master.node.number);
        let votes_first = view.votes_first(ready);
        let mut able: Vec<Number> = view
            .present()
            .filter(|member| member.candidate.potential_master)
            .filter(|member| match member.state {
                State::Up => true,
                State::ComingUp if votes_first && ready.contains(&member.id) => true,
                State::Shutdown | State::GoingDown => Some(member.id.number) == master,
                _ => view.voters.contains(&member.id.number),
            })
            .map(|member| member.id.number)
            .collect();
        able.sort_by_key(|number| {
            let votes = view.voters.contains(number);
            (Some(*number) != master, !votes, *number)
        });
        let waited_for = |number: &&Number| {
            let since = self.gone.get(number);
            let why = view.members.get(number).and_then(|member| member.why);
            !matches!(why, Some(Why::Left | Why::Fenced))
                && since.is_some_and(|since| now.since(*since) < timing.revote)
        };
        let waiting: Vec<Number> = view.voters.iter().filter(waited_for).copied().collect();
        let seated = view.witness.as_ref().filter(|seated| !seated.goes);
        let (target, witness) = match (able.len() + waiting.len(), seated) {
            (2, Some(_)) => (2, true),
            (0..=2, _) => (1, false),
            (3..=4, _) => (3, false),
            _ => (MOST, false),
        };
        let rest = able.split_off(able.len().min(1));
        let first = able.into_iter().chain(waiting).chain(rest);
        let mut nodes: Vec<Number> = first.take(target).collect();
        nodes.sort_unstable();
        let mut current = view.voters.clone();
        current.sort_unstable();
        let differs = nodes != current || witness != view.witness_votes();
        (!nodes.is_empty() && differs).then_some(Wanted { nodes, witness })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::command::{Command, Refused, Wish};
    use crate::core::testing::{candidate, id, number, view_of};
    use crate::core::witness::Witness;

    fn nobody() -> BTreeSet<NodeId> {
        BTreeSet::new()
    }

    #[test]
    fn who_makes_three_votes_has_one_before_it_is_up() {
        let (timing, now) = (Timing::default(), Time(1_000_000_000));
        let mut view = view_of(2);
        let join = Command::Join {
            nodes: vec![Wish {
                number: Some(number(3)),
                candidate: candidate(3),
            }],
        };
        view.apply(&join).unwrap();
        let wanted = |view: &View, ready: &BTreeSet<NodeId>| {
            let wanted = Voters::default().wanted(now, view, ready, &timing);
            wanted.map(|wanted| wanted.nodes)
        };
        assert_eq!(wanted(&view, &nobody()), None, "not all have taken it in");
        let ready = BTreeSet::from([id(3)]);
        assert!(view.votes_first(&ready));
        let three = [1, 2, 3].map(number).to_vec();
        assert_eq!(wanted(&view, &ready), Some(three.clone()));
        let set = Command::Voters {
            voters: three,
            witness: false,
        };
        view.apply(&set).unwrap();
        assert!(!view.votes_first(&ready), "now it may go up");
        assert!(!view_of(1).votes_first(&BTreeSet::from([id(2)])));
    }

    #[test]
    fn a_voter_is_not_forgotten() {
        let mut view = view_of(4);
        let set = |of: [u16; 3]| Command::Voters {
            voters: of.map(number).to_vec(),
            witness: false,
        };
        view.apply(&set([1, 2, 3])).unwrap();
        view.apply(&Command::Remove {
            nodes: vec![(id(3), Why::Unreachable)],
            probe_key: [0; 2],
        })
        .unwrap();
        for to in [State::UCleanup, State::Down] {
            let nodes = vec![id(3)];
            view.apply(&Command::Step { nodes, to }).unwrap();
        }
        let forget = Command::Forget { number: number(3) };
        assert_eq!(view.apply(&forget), Err(Refused::Votes(number(3))));
        view.apply(&set([1, 2, 4])).unwrap();
        assert_eq!(view.apply(&forget), Ok(()));
    }

    #[test]
    fn one_three_five_and_a_gone_one_is_replaced_in_time() {
        let timing = Timing::default();
        let now = Time(1_000_000_000);
        let wanted = |view: &View, now| {
            let wanted = Voters::default().wanted(now, view, &nobody(), &timing);
            wanted.map(|wanted| wanted.nodes)
        };
        assert_eq!(wanted(&view_of(1), now), None);
        assert_eq!(wanted(&view_of(2), now), None);
        let three: Vec<Number> = (1..=3).map(number).collect();
        assert_eq!(wanted(&view_of(3), now), Some(three.clone()));
        let five: Vec<Number> = (1..=5).map(number).collect();
        assert_eq!(wanted(&view_of(9), now), Some(five));

        let mut view = view_of(4);
        view.apply(&Command::Voters {
            voters: three,
            witness: false,
        })
        .unwrap();
        view.apply(&Command::Remove {
            nodes: vec![(id(2), Why::Unreachable)],
            probe_key: [0; 2],
        })
        .unwrap();
        let mut voters = Voters::default();
        assert_eq!(voters.wanted(now, &view, &nobody(), &timing), None);
        let soon = now + timing.revote - Duration::from_millis(1);
        assert_eq!(voters.wanted(soon, &view, &nobody(), &timing), None);
        let replaced = voters.wanted(now + timing.revote, &view, &nobody(), &timing);
        let replaced = replaced.map(|wanted| wanted.nodes);
        assert_eq!(replaced, Some([1, 3, 4].map(number).to_vec()));
    }

    #[test]
    fn who_leaves_is_not_waited_for() {
        let (timing, now) = (Timing::default(), Time(1_000_000_000));
        let wanted = |view: &View| {
            let wanted = Voters::default().wanted(now, view, &nobody(), &timing);
            wanted.map(|wanted| wanted.nodes)
        };
        for why in [Why::Left, Why::Fenced] {
            let mut view = view_of(5);
            view.apply(&Command::Voters {
                voters: (1..=5).map(number).collect(),
                witness: false,
            })
            .unwrap();
            view.apply(&Command::Remove {
                nodes: vec![(id(2), why), (id(4), why)],
                probe_key: [0; 2],
            })
            .unwrap();
            assert_eq!(wanted(&view), Some([1, 3, 5].map(number).to_vec()));
        }
        let mut view = view_of(5);
        view.apply(&Command::Voters {
            voters: (1..=5).map(number).collect(),
            witness: false,
        })
        .unwrap();
        view.apply(&Command::Step {
            nodes: [2, 4].map(id).to_vec(),
            to: State::Shutdown,
        })
        .unwrap();
        assert_eq!(wanted(&view), Some([1, 3, 5].map(number).to_vec()));
    }

    #[test]
    fn the_witness_votes_with_two_and_goes_when_it_is_told() {
        let (timing, now) = (Timing::default(), Time(1_000_000_000));
        let set = |view: &mut View, witness: Option<u8>| {
            let witness = witness.map(|key| Witness {
                key: [key; 32],
                addresses: Vec::new(),
            });
            view.apply(&Command::Witness { witness })
        };
        let settle = |view: &mut View| {
            let wanted = Voters::default()
                .wanted(now, view, &nobody(), &timing)
                .unwrap();
            view.apply(&Command::Voters {
                voters: wanted.nodes.clone(),
                witness: wanted.witness,
            })
            .unwrap();
            wanted.numbers().collect::<Vec<_>>()
        };
        for of in [1, 3] {
            let mut view = view_of(of);
            set(&mut view, Some(1)).unwrap();
            let wanted = Voters::default().wanted(now, &view, &nobody(), &timing);
            assert!(wanted.is_none_or(|wanted| !wanted.witness), "{of}");
        }
        let mut view = view_of(2);
        set(&mut view, Some(1)).unwrap();
        assert_eq!(settle(&mut view), [1, 2, witness::NUMBER]);
        assert_eq!(view.only_voter(), None);
        assert_eq!(set(&mut view, Some(2)), Err(Refused::WitnessVotes));
        set(&mut view, None).unwrap();
        assert!(view.witness_votes(), "until the log says otherwise");
        assert_eq!(settle(&mut view), [1]);
        assert_eq!(
            (view.witness.as_ref(), view.only_voter()),
            (None, Some(number(1)))
        );
        set(&mut view, Some(2)).unwrap();
    }
}
