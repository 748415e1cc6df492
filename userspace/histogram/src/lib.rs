//! The histogram that openraft counts its own batches and latencies with.
//!
//! This takes the place of the crate of the same name (`[patch.crates-io]`), which builds
//! tables for sixteen precisions when the first histogram is made: 27 MB, of which openraft
//! uses a few kilobytes and `ssid` nothing at all. The interface is what openraft 0.10 calls.
//! Buckets are powers of two, so a percentile is right to a factor of two.

use std::fmt;
use std::marker::PhantomData;

/// Buckets: 0, then one for each power of two.
const BUCKETS: usize = 65;

/// Counts values by their magnitude.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram<T = ()> {
    counts: [u64; BUCKETS],
    samples: u64,
    data: PhantomData<T>,
}

impl<T> Histogram<T> {
    /// Nothing counted yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            samples: 0,
            data: PhantomData,
        }
    }

    /// Counts a value.
    pub const fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts a value several times.
    pub const fn record_n(&mut self, value: u64, times: u64) {
        let bucket = u64::BITS - value.leading_zeros();
        self.counts[bucket as usize] += times;
        self.samples += times;
    }

    /// The least that a value of the bucket can be in which the `permille`th of a thousand
    /// values lies; 0 if nothing was counted.
    #[must_use]
    pub fn percentile(&self, permille: u64) -> u64 {
        let wanted = (u128::from(self.samples) * u128::from(permille)).div_ceil(1_000);
        let mut seen = 0_u128;
        for (bucket, count) in (0_u32..).zip(self.counts) {
            seen += u128::from(count);
            if seen >= wanted && count > 0 {
                return bucket.checked_sub(1).map_or(0, |power| 1 << power);
            }
        }
        0
    }

    /// The percentiles that are usually shown.
    #[must_use]
    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats {
            samples: self.samples,
            p0_1: self.percentile(1),
            p1: self.percentile(10),
            p5: self.percentile(50),
            p10: self.percentile(100),
            p50: self.percentile(500),
            p90: self.percentile(900),
            p99: self.percentile(990),
            p99_9: self.percentile(999),
        }
    }
}

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Histogram<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.percentile_stats().fmt(f)
    }
}

/// Percentiles of what was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PercentileStats {
    /// How many values.
    pub samples: u64,
    /// One of a thousand is at most so.
    pub p0_1: u64,
    /// One of a hundred.
    pub p1: u64,
    /// Five of a hundred.
    pub p5: u64,
    /// Ten of a hundred.
    pub p10: u64,
    /// Half.
    pub p50: u64,
    /// Ninety of a hundred.
    pub p90: u64,
    /// Ninety-nine of a hundred.
    pub p99: u64,
    /// All but one of a thousand.
    pub p99_9: u64,
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            samples, p50, p99, ..
        } = self;
        write!(f, "{samples} samples, p50 {p50}, p99 {p99}")
    }
}

/// Histograms one below the other, a line each.
#[derive(Clone, Debug, Default)]
pub struct AsciiChart(Vec<(&'static str, PercentileStats)>);

impl AsciiChart {
    /// Nothing to show yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "openraft gives it away")]
    pub fn add(mut self, name: &'static str, histogram: Histogram) -> Self {
        self.0.push((name, histogram.percentile_stats()));
        self
    }
}

impl fmt::Display for AsciiChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, stats) in &self.0 {
            writeln!(f, "{name}: {stats}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_factor_of_two() {
        let mut histogram = Histogram::<()>::new();
        assert_eq!(histogram.percentile_stats(), PercentileStats::default());
        for value in 0..1_000 {
            histogram.record(value);
        }
        let stats = histogram.percentile_stats();
        assert_eq!(stats.samples, 1_000);
        for (shown, real) in [(stats.p1, 9), (stats.p50, 499), (stats.p99, 989)] {
            assert!(shown <= real && real < 2 * shown, "{shown} for {real}");
        }
        histogram.record(u64::MAX);
        assert_eq!(histogram.percentile(1_000), 1 << 63);
        let chart = AsciiChart::new().add("all", histogram);
        assert!(chart.to_string().starts_with("all: 1001 samples"));
    }
}
