//! What this kernel can do, asked of the kernel itself rather than read off its version.

mod btf;
mod features;
mod jiffies;
mod probe;

use std::time::Duration;

use rustix::time::{ClockId, clock_getres};

#[cfg(test)]
pub(crate) use btf::build::Builder;
pub(crate) use btf::{Btf, Field};
pub use features::{Feature, Support, report};
pub use jiffies::Jiffies;

/// Jiffies a second on this kernel: the coarse clocks advance once a jiffy, so their
/// resolution is a jiffy.
#[must_use]
pub fn hz() -> u32 {
    let resolution = clock_getres(ClockId::MonotonicCoarse);
    let nanos = resolution.tv_nsec.max(1);
    u32::try_from((Duration::from_secs(1).as_nanos() as i64 + nanos / 2) / nanos).unwrap_or(250)
}
