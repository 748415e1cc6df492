use serde::{Deserialize, Serialize};

use super::{Capacity, Ended, Mean, Memory, Sampler, Shares, Stalls, Upper, Usage};

/// What a node looks like at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// When: nanoseconds since boot.
    pub at: u64,
    /// What it can do.
    pub capacity: Capacity,
    /// Its memory.
    pub memory: Memory,
    /// Time lost; `None` if the kernel doesn't say.
    pub stalls: Option<Stalls>,
}

/// What a node tells of itself. Loads are corrected by its capacity: one process that always
/// wants a processor adds [`Self::process`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tell {
    /// The load of the last interval.
    pub load: f64,
    /// What the node itself decides by; see [`Mean`].
    pub mean: f64,
    /// What others decide by; see [`Upper`].
    pub upper: f64,
    /// What one process adds.
    pub process: f64,
    /// Its processors.
    pub cpus: u32,
    /// Its memory.
    pub memory: Memory,
    /// Time lost in the last interval; `None` if the kernel doesn't say.
    pub pressure: Option<Shares>,
}

/// The load of a node, kept.
#[derive(Clone, Debug, Default)]
pub struct NodeLoad {
    sampler: Sampler,
    mean: Mean,
    upper: Upper,
    stalls: Option<Stalls>,
}

impl NodeLoad {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a look at the node, at what its processes have used, and at who has ended
    /// since the last one. `None` the first time, and if no time has passed.
    pub fn add(
        &mut self,
        look: &Look,
        usages: impl IntoIterator<Item = Usage>,
        ended: impl IntoIterator<Item = Ended>,
    ) -> Option<Tell> {
        let sample = self.sampler.add(look.at, usages, ended);
        let before = match sample {
            // No time has passed, so this is no beginning of an interval.
            None if self.stalls.is_some() => self.stalls,
            _ => std::mem::replace(&mut self.stalls, look.stalls),
        };
        let sample = sample?;
        let load = look.capacity.correct(sample.load);
        self.mean.add(load, sample.interval);
        self.upper.add(load, sample.interval);
        let pressure = look.stalls.zip(before);
        Some(Tell {
            load,
            mean: self.mean.value(),
            upper: self.upper.value(),
            process: look.capacity.process(),
            cpus: look.capacity.cpus(),
            memory: look.memory,
            pressure: pressure.map(|(now, before)| now.since(&before, sample.interval)),
        })
    }

    /// The processes' own loads, which are not corrected.
    #[must_use]
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::load::{Key, STANDARD_SPEED};

    fn look(second: u64, cpus: u32) -> Look {
        Look {
            at: second * 1_000_000_000,
            capacity: Capacity::new(cpus, STANDARD_SPEED),
            memory: Memory::default(),
            stalls: Some(Stalls {
                cpu: Duration::from_millis(second * 500),
                ..Stalls::default()
            }),
        }
    }

    fn busy(second: u64, processes: u32) -> impl Iterator<Item = Usage> {
        (0..processes).map(move |pid| Usage {
            key: Key { pid, start: 0 },
            run: Duration::from_secs(second) / 2,
            wait: Duration::from_secs(second) / 2,
        })
    }

    proptest! {
        #[test]
        fn a_steady_load_is_told_as_it_is(cpus in 1_u32..64, processes in 0_u32..200) {
            let mut node = NodeLoad::new();
            prop_assert_eq!(node.add(&look(1, cpus), busy(1, processes), []), None);
            for second in 2..60 {
                let tell = node.add(&look(second, cpus), busy(second, processes), []);
                let tell = tell.expect("not the first");
                let load = 100.0 * f64::from(processes) / f64::from(cpus);
                prop_assert!((tell.load - load).abs() < 1e-6 * (1.0 + load));
                prop_assert!(tell.mean <= tell.load && tell.load <= tell.upper);
                prop_assert!((tell.process * f64::from(processes) - load).abs() < 1e-6 * (1.0 + load));
                if second > 50 {
                    prop_assert!((tell.mean - load).abs() < 1e-6 * (1.0 + load));
                    prop_assert!((tell.upper - load).abs() < 1e-6 * (1.0 + load));
                }
                prop_assert_eq!(tell.pressure.map(|shares| shares.cpu), Some(0.5));
            }
        }
    }

    #[test]
    fn a_look_at_the_same_time_changes_nothing() {
        let mut node = NodeLoad::new();
        node.add(&look(1, 1), busy(1, 1), []);
        assert_eq!(node.add(&look(1, 1), busy(1, 1), []), None);
        let tell = node
            .add(&look(2, 1), busy(2, 1), [])
            .expect("a second later");
        assert_eq!((tell.load, tell.upper, tell.mean), (100.0, 100.0, 37.5));
    }
}
