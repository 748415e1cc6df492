//! What is remembered of an instance: its errors, and how its last run ended.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exit::Failure;
use super::time::Time;
use crate::config::{Backoff, Process};

/// What is remembered of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When its errors happened, as far as they are within the probation; never more of
    /// them than the limit.
    errors: VecDeque<Time>,
    /// All its errors since they were last cleared.
    pub total: u64,
    /// How many runs in a row were too short to be good ones.
    pub streak: u32,
    /// When it was last started.
    pub started: Option<Time>,
    /// When it first failed.
    pub first_died: Option<Time>,
    /// When it last failed.
    pub last_died: Option<Time>,
    /// How it last failed.
    pub last: Option<Failure>,
}

/// A record on its way to another node, whose clock is another: ages instead of moments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    errors: Vec<Duration>,
    total: u64,
    streak: u32,
    first_died: Option<Duration>,
    last_died: Option<Duration>,
    last: Option<Failure>,
}

impl Record {
    /// One more error. Answers how long to wait before the next start; none: it has had as
    /// many within its probation as it may.
    pub fn failed(&mut self, now: Time, failure: Failure, process: &Process) -> Option<Duration> {
        let lived = self.started.map_or(Duration::ZERO, |at| now.since(at));
        if lived >= process.backoff.reset.0 {
            self.streak = 0;
        }
        let mut wait = pause(process.backoff, self.streak);
        if lived < process.respawn_time.0 {
            wait = wait.max(process.respawn_time.0);
        }
        self.streak = self.streak.saturating_add(1);
        self.total += 1;
        self.first_died.get_or_insert(now);
        self.last_died = Some(now);
        self.last = Some(failure);
        self.errors.push_back(now);
        self.within(now, process);
        let limit = usize::try_from(process.error_limit).unwrap_or(usize::MAX);
        (self.errors.len() < limit).then_some(wait)
    }

    /// How many errors there were within the probation that ends now.
    pub fn within(&mut self, now: Time, process: &Process) -> usize {
        let limit = usize::try_from(process.error_limit).unwrap_or(usize::MAX);
        while let Some(&oldest) = self.errors.front() {
            let counts = now.since(oldest) <= process.probation.0;
            if counts && self.errors.len() <= limit {
                break;
            }
            self.errors.pop_front();
        }
        self.errors.len()
    }

    /// Forgets the errors.
    pub fn clear(&mut self) {
        *self = Self {
            started: self.started,
            ..Self::default()
        };
    }

    /// By a clock that began anew, its moments mean nothing.
    pub(crate) fn after_boot(&mut self) {
        *self = Self {
            total: self.total,
            last: self.last.clone(),
            ..Self::default()
        };
    }

    /// For another node.
    #[must_use]
    pub fn carried(&self, now: Time) -> Carried {
        let age = |at: Time| now.since(at);
        Carried {
            errors: self.errors.iter().copied().map(age).collect(),
            total: self.total,
            streak: self.streak,
            first_died: self.first_died.map(age),
            last_died: self.last_died.map(age),
            last: self.last.clone(),
        }
    }
}

impl Carried {
    /// What another node knew, by this node's clock.
    #[must_use]
    pub fn record(&self, now: Time) -> Record {
        let moment = |age: Duration| now.before(age);
        Record {
            errors: self.errors.iter().copied().map(moment).collect(),
            total: self.total,
            streak: self.streak,
            started: None,
            first_died: self.first_died.map(moment),
            last_died: self.last_died.map(moment),
            last: self.last.clone(),
        }
    }
}

/// The wait after so many short runs in a row before this one.
fn pause(backoff: Backoff, streak: u32) -> Duration {
    let Some(doublings) = streak.checked_sub(1) else {
        return Duration::ZERO;
    };
    let times = backoff.factor.saturating_pow(doublings);
    backoff.first.0.saturating_mul(times).min(backoff.longest.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;
    use crate::core::Exit;

    const EXIT: Failure = Failure::Exit(Exit::Code(1));

    #[test]
    fn waits_grow_and_start_over_after_a_good_run() {
        let mut process = Process::new("a", "/a");
        process.error_limit = 100;
        let mut record = Record::default();
        let mut now = Time(1);
        let mut fail = |lived: Duration| {
            record.started = Some(now);
            now = now + lived;
            let wait = record.failed(now, EXIT, &process);
            wait.unwrap().as_millis()
        };
        let short = Duration::from_millis(5);
        let waits: Vec<u128> = (0..10).map(|_| fail(short)).collect();
        assert_eq!(
            waits,
            [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert_eq!(fail(Duration::from_secs(10)), 0);
        assert_eq!(fail(short), 100);
    }

    #[test]
    fn errors_count_while_the_probation_lasts() {
        let mut process = Process::new("a", "/a");
        process.error_limit = 3;
        process.probation = Span::secs(10);
        let mut record = Record::default();
        let mut at = |secs: u64| {
            let now = Time(secs * 1_000_000_000);
            record.failed(now, EXIT, &process).is_some()
        };
        // The third within ten seconds is one too many.
        assert_eq!(
            [0, 4, 11, 15, 16].map(&mut at),
            [true, true, true, true, false]
        );
        assert_eq!(record.total, 5);
    }

    #[test]
    fn a_record_is_carried_to_another_clock() {
        let process = Process::new("a", "/a");
        let mut record = Record::default();
        for second in 0..3 {
            record.failed(Time(second * 1_000_000_000), EXIT, &process);
        }
        let carried = record.carried(Time(5_000_000_000));
        let mut there = carried.record(Time(900_000_000_000));
        assert_eq!(there.within(Time(900_000_000_000), &process), 3);
        assert_eq!(there.last_died, Some(Time(897_000_000_000)));
        // Four minutes and 57 seconds later, the first is forgotten, the others are not.
        assert_eq!(there.within(Time(1_196_000_000_000), &process), 2);
    }
}
