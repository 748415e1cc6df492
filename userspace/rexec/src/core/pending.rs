//! Sessions that are expected: each may be claimed once, in time, by whoever knows its id.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Why a connection is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Turned {
    /// Nobody expects its id: it was made up, or used before, or came too late.
    Unknown,
    /// It did not say its id in time.
    Silent,
    /// It comes from no member.
    Stranger,
    /// Too many others are about to say theirs.
    Crowd,
}

impl Turned {
    /// In a few words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "remote execution: unknown, used or late id",
            Self::Silent => "remote execution: no id in time",
            Self::Stranger => "remote execution: from no member",
            Self::Crowd => "remote execution: too many at a time",
        }
    }
}

/// Those that are expected. Times are durations since any one moment.
#[derive(Debug)]
pub struct Pending<K, T> {
    expected: HashMap<K, (Duration, T)>,
    most: usize,
    patience: Duration,
}

impl<K: Eq + Hash, T> Pending<K, T> {
    /// At most `most`, each for `patience`.
    #[must_use]
    pub fn new(most: usize, patience: Duration) -> Self {
        Self {
            expected: HashMap::new(),
            most,
            patience,
        }
    }

    /// Expects one more; false: there are too many.
    #[must_use]
    pub fn expect(&mut self, now: Duration, id: K, what: T) -> bool {
        if self.expected.len() >= self.most {
            self.forget(now);
        }
        let room = self.expected.len() < self.most;
        if room {
            self.expected.insert(id, (now + self.patience, what));
        }
        room
    }

    /// Takes the one with this id, if it is still expected.
    pub fn claim(&mut self, now: Duration, id: &K) -> Option<T> {
        let (until, what) = self.expected.remove(id)?;
        (now <= until).then_some(what)
    }

    /// Forgets those that did not come in time.
    pub fn forget(&mut self, now: Duration) {
        self.expected.retain(|_, (until, _)| now <= *until);
        self.expected.shrink_to(64);
    }

    /// How many are expected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expected.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expected.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const PATIENCE: u64 = 10;

    proptest! {
        #[test]
        fn each_is_claimed_once_and_in_time(steps in prop::collection::vec((0..2_u8, 0..8_u8, 0..4_u64), 1..200)) {
            let mut pending = Pending::new(4, Duration::from_secs(PATIENCE));
            let mut model: HashMap<u8, u64> = HashMap::new();
            let mut now = 0;
            for (what, id, pass) in steps {
                now += pass;
                let at = Duration::from_secs(now);
                if what == 0 {
                    let fits = pending.expect(at, id, id);
                    if fits {
                        model.insert(id, now + PATIENCE);
                    }
                    prop_assert!(pending.len() <= 4);
                } else {
                    let claimed = pending.claim(at, &id).is_some();
                    let expected = model.remove(&id).is_some_and(|until| now <= until);
                    prop_assert_eq!(claimed, expected);
                }
            }
        }
    }
}
