//! Loads that remember.
//!
//! MOSIX computes each once a second, by a fraction of eighths. Here the time between two
//! samples may be any: the part that is kept of the old value is the same fraction for each
//! second that has passed, so that at one second the formulas are MOSIX's own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The part of an old value that is left after a while, if `each` is left after a second.
fn left(each: f64, time: Duration) -> f64 {
    each.powf(time.as_secs_f64())
}

fn blend(old: f64, new: f64, left: f64) -> f64 {
    old * left + new * (1.0 - left)
}

/// What a node takes its own load for: it rises slowly and falls at once, so that a short
/// burst makes nobody leave.
///
/// MOSIX: `if load > mean { mean = (5*mean + 3*load)/8 } else { mean = load }`, each second
/// (Kerrighed's `mosix_probe.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean(f64);

impl Mean {
    /// Part of the old value that is left after a second.
    const LEFT: f64 = 5.0 / 8.0;

    /// Takes in the load of the last interval.
    pub fn add(&mut self, load: f64, interval: Duration) {
        self.0 = if load > self.0 {
            blend(self.0, load, left(Self::LEFT, interval))
        } else {
            load
        };
    }

    /// Its value; never above the load.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What a node tells others of its load: it rises at once and falls slowly, so that it looks
/// rather too busy than too idle, and not all come at once.
///
/// MOSIX: `if load >= upper { upper = load } else { upper = (7*upper + load)/8 }`, each
/// second (Meehan and Ritter; Kerrighed's `mosix_probe.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Upper(f64);

impl Upper {
    /// Part of the old value that is left after a second.
    const LEFT: f64 = 7.0 / 8.0;

    /// Takes in the load of the last interval.
    pub fn add(&mut self, load: f64, interval: Duration) {
        self.0 = if load >= self.0 {
            load
        } else {
            blend(self.0, load, left(Self::LEFT, interval))
        };
    }

    /// Its value; never below the load.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What a process adds to its node's load, lately.
///
/// MOSIX: `load = (5*load + 3*now)/8`, each second (Kerrighed's `mosix_probe.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessLoad(f64);

impl ProcessLoad {
    /// Part of the old value that is left after a second.
    const LEFT: f64 = 5.0 / 8.0;

    /// Takes in what it was in the last interval.
    pub fn add(&mut self, load: f64, interval: Duration) {
        self.0 = blend(self.0, load, left(Self::LEFT, interval));
    }

    /// Its value.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn loads() -> impl Strategy<Value = Vec<(f64, u64)>> {
        prop::collection::vec((0.0..10_000.0, 1_u64..5_000), 1..50)
    }

    proptest! {
        #[test]
        fn the_load_is_between_them(loads in loads()) {
            let (mut mean, mut upper) = (Mean::default(), Upper::default());
            for (load, millis) in loads {
                mean.add(load, Duration::from_millis(millis));
                upper.add(load, Duration::from_millis(millis));
                prop_assert!((0.0..=load).contains(&mean.value()));
                prop_assert!(upper.value() >= load);
            }
        }

        #[test]
        fn neither_leaves_what_was_seen(loads in loads()) {
            let (mut mean, mut upper) = (Mean::default(), Upper::default());
            let mut process = ProcessLoad::default();
            let most = loads.iter().map(|(load, _)| *load).fold(0.0, f64::max);
            for (load, millis) in loads {
                let interval = Duration::from_millis(millis);
                mean.add(load, interval);
                upper.add(load, interval);
                process.add(load, interval);
                prop_assert!(upper.value() <= most);
                prop_assert!((0.0..=most).contains(&process.value()));
            }
        }

        #[test]
        fn two_halves_are_a_whole(from in 0.0..1_000.0, to in 0.0..1_000.0, millis in 1_u64..5_000) {
            let half = Duration::from_millis(millis);
            let (mut twice, mut once) = (Upper(from), Upper(from));
            twice.add(to, half);
            twice.add(to, half);
            once.add(to, half * 2);
            prop_assert!((twice.value() - once.value()).abs() < 1e-6);
            let (mut twice, mut once) = (Mean(from), Mean(from));
            twice.add(to, half);
            twice.add(to, half);
            once.add(to, half * 2);
            prop_assert!((twice.value() - once.value()).abs() < 1e-6);
        }

        /// The original counts in whole numbers, the mean in 128ths, and rounds down.
        #[test]
        fn each_second_they_are_the_original(loads in prop::collection::vec(0_u64..2_000, 1..60)) {
            let (mut mean, mut upper, mut process) =
                (Mean::default(), Upper::default(), ProcessLoad::default());
            let (mut mean128, mut upper1, mut process1) = (0_u64, 0_u64, 0_u64);
            for load in loads {
                mean128 = if load * 128 > mean128 {
                    (5 * mean128 + 3 * load * 128) / 8
                } else {
                    load * 128
                };
                upper1 = if load >= upper1 { load } else { (7 * upper1 + load) / 8 };
                process1 = (5 * process1 + 3 * load) / 8;
                mean.add(load as f64, SECOND);
                upper.add(load as f64, SECOND);
                process.add(load as f64, SECOND);
                // What rounding down adds up to: 1/(1 - 5/8) and 1/(1 - 7/8) steps.
                prop_assert!((mean.value() - mean128 as f64 / 128.0).abs() <= 3.0 / 128.0);
                prop_assert!((upper.value() - upper1 as f64).abs() <= 8.0);
                prop_assert!((process.value() - process1 as f64).abs() <= 3.0);
            }
        }
    }

    #[test]
    fn a_burst_of_a_second_and_its_end() {
        let (mut mean, mut upper) = (Mean::default(), Upper::default());
        for (load, means, uppers) in [(800.0, 300.0, 800.0), (0.0, 0.0, 700.0)] {
            mean.add(load, SECOND);
            upper.add(load, SECOND);
            assert_eq!((mean.value(), upper.value()), (means, uppers));
        }
    }
}
