//! The clocks that processes go by.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since boot, suspension included: the clock of starts and events.
#[must_use]
pub fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Boottime))
}

/// Nanoseconds since 1970, as the machine's clock is set now.
#[must_use]
pub fn since_1970() -> u64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
