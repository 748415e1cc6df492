use serde::{Deserialize, Serialize};

use super::PROCESS;

/// Speed of a processor that is called standard: 10,000, MOSIX's number for a Pentium III of
/// 1 GHz (`STD_SPD`, in Kerrighed's `mosix_probe.c`; openMosix's `/proc/hpc/admin/speed`).
/// Only ratios matter.
pub const STANDARD_SPEED: u32 = 10_000;

/// What a node can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    cpus: u32,
    speed: u32,
}

impl Capacity {
    /// So many processors of this speed, of which [`STANDARD_SPEED`] is standard. A node has
    /// at least one, and some speed.
    #[must_use]
    pub fn new(cpus: u32, speed: u32) -> Self {
        Self {
            cpus: cpus.max(1),
            speed: speed.max(1),
        }
    }

    /// How many processors.
    #[must_use]
    pub const fn cpus(self) -> u32 {
        self.cpus
    }

    /// A load, corrected by what the node can do, so that nodes can be compared: the load
    /// that each processor of standard speed would have.
    ///
    /// MOSIX: `load * STD_SPD / cpu_speed` (Meehan and Ritter; Kerrighed's `mosix_probe.c`,
    /// where the division by the number of processors is commented out).
    #[must_use]
    pub fn correct(self, load: f64) -> f64 {
        load * f64::from(STANDARD_SPEED) / f64::from(self.speed) / f64::from(self.cpus)
    }

    /// What one process that always wants a processor adds to the corrected load.
    #[must_use]
    pub fn process(self) -> f64 {
        self.correct(PROCESS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn more_and_faster_is_less_loaded(
            load in 0.1..1e6, cpus in 1_u32..512, speed in 1_u32..1_000_000,
        ) {
            let corrected = |cpus, speed| Capacity::new(cpus, speed).correct(load);
            prop_assert!(corrected(cpus + 1, speed) < corrected(cpus, speed));
            prop_assert!(corrected(cpus, speed + 1) < corrected(cpus, speed));
            let twice = corrected(cpus * 2, speed) * 2.0;
            prop_assert!((twice / corrected(cpus, speed) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_process_on_a_standard_processor_is_100() {
        assert_eq!(Capacity::new(1, STANDARD_SPEED).process(), 100.0);
        assert_eq!(Capacity::new(4, 2 * STANDARD_SPEED).process(), 12.5);
        assert_eq!(Capacity::new(0, 0), Capacity::new(1, 1));
    }
}
