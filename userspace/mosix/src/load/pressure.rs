//! Memory, and time lost for want of something.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A node's memory, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What programs can still have without swapping.
    pub available: u64,
    /// Swap in all.
    pub swap_total: u64,
    /// Swap that is free.
    pub swap_free: u64,
}

impl Memory {
    /// The part that is in use, 0 to 1: `mem_used/mem_total` of the opportunity cost (Amir,
    /// Awerbuch, Barak, Borgstrom, Keren, IEEE TPDS 11(7), 2000).
    #[must_use]
    pub fn used(&self) -> f64 {
        part(self.total, self.available)
    }

    /// The part of swap that is in use, 0 to 1; 0 if there is none.
    #[must_use]
    pub fn swap_used(&self) -> f64 {
        part(self.swap_total, self.swap_free)
    }
}

fn part(total: u64, free: u64) -> f64 {
    if total == 0 {
        return 0.0;
    }
    total.saturating_sub(free) as f64 / total as f64
}

/// Time since boot in which at least one process could not go on for want of each
/// (`Documentation/accounting/psi.rst`, kernel 4.20).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalls {
    /// A processor.
    pub cpu: Duration,
    /// Memory.
    pub memory: Duration,
    /// Reading and writing.
    pub io: Duration,
}

/// The part of an interval in which that was so, 0 to 1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// A processor.
    pub cpu: f64,
    /// Memory.
    pub memory: f64,
    /// Reading and writing.
    pub io: f64,
}

impl Stalls {
    /// Of the interval between the two.
    #[must_use]
    pub fn since(&self, before: &Self, interval: Duration) -> Shares {
        let share = |now: Duration, then: Duration| {
            if interval.is_zero() {
                return 0.0;
            }
            let part = now.saturating_sub(then).as_secs_f64() / interval.as_secs_f64();
            // The kernel sums up every two seconds or so, so that a part may come late.
            part.min(1.0)
        };
        Shares {
            cpu: share(self.cpu, before.cpu),
            memory: share(self.memory, before.memory),
            io: share(self.io, before.io),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_parts(total: u64, available: u64, now: u32, before: u32, millis: u32) {
            let memory = Memory { total, available, swap_total: available, swap_free: total };
            prop_assert!((0.0..=1.0).contains(&memory.used()));
            prop_assert!((0.0..=1.0).contains(&memory.swap_used()));
            let stalls = |micros: u32| {
                let time = Duration::from_micros(micros.into());
                Stalls { cpu: time, memory: time, io: time }
            };
            let shares = stalls(now).since(&stalls(before), Duration::from_millis(millis.into()));
            prop_assert!((0.0..=1.0).contains(&shares.cpu));
            prop_assert_eq!((shares.memory, shares.io), (shares.cpu, shares.cpu));
        }
    }

    #[test]
    fn a_quarter() {
        let memory = Memory {
            total: 400,
            available: 300,
            ..Memory::default()
        };
        assert_eq!((memory.used(), memory.swap_used()), (0.25, 0.0));
        let before = Stalls::default();
        let now = Stalls {
            io: Duration::from_millis(250),
            ..before
        };
        assert_eq!(now.since(&before, Duration::from_secs(1)).io, 0.25);
    }
}
