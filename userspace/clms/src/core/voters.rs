//! Who votes about the log.

use std::collections::BTreeMap;

use super::{Number, State, Time, Timing, View};

/// Most voters: with five, two may fail at once; more make every entry slower.
const MOST: usize = 5;

/// Since when voters are gone.
#[derive(Clone, Debug, Default)]
pub struct Voters {
    gone: BTreeMap<Number, Time>,
}

impl Voters {
    /// Who should vote, if that is not who votes now: 1, 3 or 5 of the potential masters.
    /// Voters stay what they are if they can. One that is gone is replaced when it has
    /// been so for [`Timing::revote`] and somebody can take its place. The master stays a
    /// voter: the others promised to elect nobody else for a while, and voters without it
    /// would know nothing of that.
    pub fn wanted(&mut self, now: Time, view: &View, timing: &Timing) -> Option<Vec<Number>> {
        self.gone
            .retain(|number, _| view.voters.contains(number) && view.current(*number).is_none());
        for number in &view.voters {
            if view.current(*number).is_none() {
                self.gone.entry(*number).or_insert(now);
            }
        }
        let mut able: Vec<Number> = view
            .present()
            .filter(|member| member.candidate.potential_master)
            .filter(|member| member.state == State::Up || view.voters.contains(&member.id.number))
            .map(|member| member.id.number)
            .collect();
        let master = view.master.map(|master| master.node.number);
        able.sort_by_key(|number| {
            let votes = view.voters.contains(number);
            (Some(*number) != master, !votes, *number)
        });
        let waited_for = |number: &&Number| {
            let since = self.gone.get(number);
            since.is_some_and(|since| now.since(*since) < timing.revote)
        };
        let waiting: Vec<Number> = view.voters.iter().filter(waited_for).copied().collect();
        let target = match able.len() + waiting.len() {
            0..=2 => 1,
            3..=4 => 3,
            _ => MOST,
        };
        let rest = able.split_off(able.len().min(1));
        let first = able.into_iter().chain(waiting).chain(rest);
        let mut wanted: Vec<Number> = first.take(target).collect();
        wanted.sort_unstable();
        let mut current = view.voters.clone();
        current.sort_unstable();
        (!wanted.is_empty() && wanted != current).then_some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::command::Command;
    use crate::core::member::Why;
    use crate::core::testing::{id, number, view_of};

    #[test]
    fn one_three_five_and_a_gone_one_is_replaced_in_time() {
        let timing = Timing::default();
        let now = Time(1_000_000_000);
        let wanted = |view: &View, now| Voters::default().wanted(now, view, &timing);
        assert_eq!(wanted(&view_of(1), now), None);
        assert_eq!(wanted(&view_of(2), now), None);
        let three: Vec<Number> = (1..=3).map(number).collect();
        assert_eq!(wanted(&view_of(3), now), Some(three.clone()));
        let five: Vec<Number> = (1..=5).map(number).collect();
        assert_eq!(wanted(&view_of(9), now), Some(five));

        let mut view = view_of(4);
        view.apply(&Command::Voters { voters: three }).unwrap();
        view.apply(&Command::Remove {
            nodes: vec![(id(2), Why::Unreachable)],
            probe_key: [0; 2],
        })
        .unwrap();
        let mut voters = Voters::default();
        assert_eq!(voters.wanted(now, &view, &timing), None);
        let soon = now + timing.revote - Duration::from_millis(1);
        assert_eq!(voters.wanted(soon, &view, &timing), None);
        let replaced = voters.wanted(now + timing.revote, &view, &timing);
        assert_eq!(replaced, Some([1, 3, 4].map(number).to_vec()));
    }
}
