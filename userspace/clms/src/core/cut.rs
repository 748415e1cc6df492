//! The cut detector: turns what single observers find into one change of the view.
//!
//! After Suresh et al., "Stable and Consistent Membership at Scale with Rapid" (USENIX
//! ATC 2018): a node that nearly all of its observers (H of K) find dead goes; as long as
//! some node is found dead by several but too few (L up to H), everybody waits, because
//! more of its observers are about to speak up. An observer that is itself about to go
//! counts as if it had found its subjects dead: it can't say so any more. So does one whose
//! `ssid` doesn't answer, once two others do find the node dead.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::Ring;
use super::{MOST_OBSERVERS, NodeId, Time, Timing, View};

/// What the observers have told the master.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Who finds whom dead, and when it last said so.
    alerts: BTreeMap<NodeId, BTreeMap<NodeId, Time>>,
    /// What the last look found, and when it became so.
    found: Option<Found>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    stable: BTreeSet<NodeId>,
    unstable: BTreeSet<NodeId>,
    /// When the first node was in either.
    first: Time,
    /// When either last changed.
    last: Time,
    /// When everybody was asked to look around.
    asked: Option<Time>,
}

/// H of K: how many of its observers must find a node dead.
#[must_use]
pub const fn high(observers: usize) -> usize {
    (observers * 9).div_ceil(10)
}

/// L of K: how many must, for the others to be waited for.
#[must_use]
pub const fn low(observers: usize) -> usize {
    let low = observers * 3 / 10;
    if low == 0 { 1 } else { low }
}

impl Cut {
    /// An observer says whom it finds dead, which is all of them. It repeats that from
    /// time to time.
    pub fn says(&mut self, now: Time, observer: NodeId, dead: &[NodeId]) {
        for (subject, said) in &mut self.alerts {
            if !dead.contains(subject) {
                said.remove(&observer);
            }
        }
        for subject in dead {
            let said = self.alerts.entry(*subject).or_default();
            said.insert(observer, now);
        }
    }

    /// Who is to go now; nobody, most of the time. `silent`: who can't say what it finds.
    pub fn decide(
        &mut self,
        now: Time,
        view: &View,
        ring: &Ring,
        timing: &Timing,
        silent: &BTreeSet<NodeId>,
    ) -> Vec<NodeId> {
        // An observer repeats what it finds; one that no longer does has gone, or is no
        // observer of that node any more.
        let stale = timing.report * 3;
        self.alerts.retain(|subject, observers| {
            observers.retain(|observer, at| now.since(*at) < stale && view.has(*observer));
            view.has(*subject) && !observers.is_empty()
        });
        let observers = ring.observers_each();
        let counts = self.counts(ring, low(observers), silent);
        let among = |from: usize, to: usize| -> BTreeSet<NodeId> {
            let within = counts.iter().filter(|(_, n)| (from..to).contains(*n));
            within.map(|(id, _)| *id).collect()
        };
        let stable = among(high(observers), usize::MAX);
        let unstable = among(low(observers), high(observers));
        if stable.is_empty() && unstable.is_empty() {
            self.found = None;
            return Vec::new();
        }
        let found = self.found.get_or_insert_with(|| Found {
            stable: BTreeSet::new(),
            unstable: BTreeSet::new(),
            first: now,
            last: now,
            asked: None,
        });
        if found.stable != stable || found.unstable != unstable {
            found.stable = stable;
            found.unstable = unstable;
            found.last = now;
        }
        let mut settled = now.since(found.last) >= timing.settle;
        if let Some(asked) = found.asked {
            let look = timing.burst * (Timing::misses(observers) + 1);
            settled &= now.since(asked) >= look + timing.settle;
        }
        let impatient = now.since(found.first) >= timing.patience;
        if settled && (found.unstable.is_empty() || impatient) {
            found.stable.iter().copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Whether everybody should look around at once: several nodes have failed together, and
    /// more may have whose few observers that are left have not looked yet. In a small
    /// cluster everybody observes everybody, and they have.
    pub fn asks_around(&mut self, now: Time, view: &View) -> bool {
        let Some(found) = &mut self.found else {
            return false;
        };
        let asks = found.asked.is_none()
            && found.stable.len() > 1
            && view.present().count() > 2 * MOST_OBSERVERS;
        if asks {
            found.asked = Some(now);
        }
        asks
    }

    /// Whether it waits for observers to speak up, and has not waited long.
    #[must_use]
    pub fn is_open(&self, now: Time, timing: &Timing) -> bool {
        let found = self.found.as_ref();
        found.is_some_and(|found| now.since(found.first) < timing.patience)
    }

    /// Whether a node is about to go.
    #[must_use]
    pub fn is_going(&self, id: NodeId) -> bool {
        let found = self.found.as_ref();
        found.is_some_and(|found| found.stable.contains(&id))
    }

    /// How many find a node dead, besides one.
    #[must_use]
    pub fn doubting(&self, id: NodeId, besides: NodeId) -> usize {
        let said = self.alerts.get(&id).into_iter().flatten();
        said.filter(|(observer, _)| **observer != besides).count()
    }

    /// How many of its observers find each node dead, with those that can't say any more.
    fn counts(
        &self,
        ring: &Ring,
        low: usize,
        silent: &BTreeSet<NodeId>,
    ) -> BTreeMap<NodeId, usize> {
        let mut doubtful: BTreeSet<NodeId> = BTreeSet::new();
        loop {
            let counts: BTreeMap<NodeId, usize> = self
                .alerts
                .iter()
                .map(|(subject, said)| {
                    let sure = ring.observers(*subject).filter(|id| said.contains_key(id));
                    let sure = sure.count() > 1;
                    let finds = |observer: &NodeId| {
                        said.contains_key(observer)
                            || doubtful.contains(observer)
                            || sure && silent.contains(observer)
                    };
                    (*subject, ring.observers(*subject).filter(finds).count())
                })
                .collect();
            let now_doubtful: BTreeSet<NodeId> = counts
                .iter()
                .filter(|(_, count)| **count >= low.max(2))
                .map(|(id, _)| *id)
                .collect();
            if now_doubtful == doubtful {
                return counts;
            }
            doubtful = now_doubtful;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::testing::{id, view_of};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn thresholds_are_rapids_at_ten() {
        assert_eq!((high(10), low(10)), (9, 3));
        assert_eq!((high(2), low(2)), (2, 1));
        assert_eq!((high(1), low(1)), (1, 1));
    }

    #[test]
    fn nodes_that_fail_together_go_together() {
        let view = view_of(15);
        let ring = Ring::new(&view);
        let timing = Timing::default();
        let (mut cut, none) = (Cut::default(), BTreeSet::new());
        let dead = [id(3), id(7), id(11)];
        let mut now = Time(1_000_000_000);
        // The observers speak up one after another, over 150 ms.
        for observer in (1..=15).map(id).filter(|id| !dead.contains(id)) {
            let finds = ring.subjects(observer).filter(|id| dead.contains(id));
            cut.says(now, observer, &finds.collect::<Vec<_>>());
            now = now + 15 * MS;
            assert_eq!(cut.decide(now, &view, &ring, &timing, &none), []);
        }
        assert_eq!(
            cut.decide(now + 100 * MS, &view, &ring, &timing, &none),
            dead
        );
    }

    #[test]
    fn one_mistaken_observer_puts_nobody_out() {
        let view = view_of(15);
        let ring = Ring::new(&view);
        let timing = Timing::default();
        let (mut cut, none) = (Cut::default(), BTreeSet::new());
        for step in 0..100 {
            let now = Time(1_000_000_000) + 50 * MS * step;
            let all: Vec<_> = ring.subjects(id(5)).collect();
            cut.says(now, id(5), &all);
            assert_eq!(cut.decide(now, &view, &ring, &timing, &none), []);
        }
    }

    #[test]
    fn a_doubtful_node_holds_the_others_up_for_a_while_only() {
        let view = view_of(15);
        let ring = Ring::new(&view);
        let timing = Timing::default();
        let (mut cut, none) = (Cut::default(), BTreeSet::new());
        let start = Time(1_000_000_000);
        let (dead, doubtful) = (id(2), id(9));
        let say = |cut: &mut Cut, now| {
            let doubting: Vec<_> = ring.observers(doubtful).take(5).collect();
            for observer in (1..=15).map(id).filter(|id| *id != dead) {
                let mut finds: Vec<_> = ring.subjects(observer).collect();
                finds.retain(|id| *id == dead || *id == doubtful && doubting.contains(&observer));
                cut.says(now, observer, &finds);
            }
        };
        say(&mut cut, start);
        assert_eq!(cut.decide(start, &view, &ring, &timing, &none), []);
        let soon = start + 500 * MS;
        say(&mut cut, soon);
        assert_eq!(cut.decide(soon, &view, &ring, &timing, &none), []);
        let later = start + timing.patience;
        say(&mut cut, later);
        assert_eq!(cut.decide(later, &view, &ring, &timing, &none), [dead]);
    }

    #[test]
    fn nobody_waits_for_whom_two_find_silent() {
        let view = view_of(5);
        let ring = Ring::new(&view);
        let timing = Timing::default();
        let start = Time(1_000_000_000);
        let settled = start + timing.settle;
        let silent = BTreeSet::from([id(4)]);
        // Who find node 5 dead, who is silent, and whether it goes.
        for (saying, silent, goes) in [
            (vec![1, 2, 3], &silent, true),
            (vec![1, 2, 3], &BTreeSet::new(), false),
            (vec![1, 2], &silent, false),
            (vec![1, 2], &BTreeSet::from([id(3), id(4)]), true),
            (vec![1], &BTreeSet::from([id(2), id(3), id(4)]), false),
        ] {
            let mut cut = Cut::default();
            for observer in &saying {
                cut.says(start, id(*observer), &[id(5)]);
            }
            cut.decide(start, &view, &ring, &timing, silent);
            let gone = cut.decide(settled, &view, &ring, &timing, silent);
            assert_eq!(!gone.is_empty(), goes, "{saying:?} of 4, silent {silent:?}");
        }
    }
}
