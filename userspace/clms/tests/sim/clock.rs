//! Clocks that show different times and run at different rates.

use ssi_clms::core::Time;

/// One host's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset: u64,
    /// Nanoseconds it gains in a millisecond; loses, if negative.
    gain: i64,
}

const MILLI: i64 = 1_000_000;

impl Clock {
    /// A clock that showed `offset` when the world began and is `ppm` parts of a million
    /// too fast.
    pub(crate) fn new(offset: u64, ppm: i64) -> Self {
        Self { offset, gain: ppm }
    }

    /// What it shows at a moment of the world.
    pub(crate) fn at(self, world: u64) -> Time {
        let world = signed(world);
        let shown = world + world * self.gain / MILLI;
        Time(self.offset + u64::try_from(shown).unwrap_or(0))
    }

    /// The moment of the world at which it shows `time`, or just after.
    pub(crate) fn when(self, time: Time) -> u64 {
        if time == Time::NEVER {
            return u64::MAX;
        }
        let shown = signed(time.0.saturating_sub(self.offset));
        // shown * MILLI / (MILLI + gain), in numbers that have room for years.
        let world = shown + (-shown * self.gain).div_euclid(MILLI + self.gain);
        u64::try_from(world + 1).unwrap_or(u64::MAX)
    }
}

fn signed(nanos: u64) -> i64 {
    i64::try_from(nanos).expect("the world lives for days")
}
