//! The clock that leases go by.

use rustix::time::{ClockId, clock_gettime};

use crate::core::Time;

/// Nanoseconds since boot, suspended time included: what the kernel's programs read too.
#[must_use]
pub fn now() -> Time {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
    Time(seconds * 1_000_000_000 + nanos)
}
