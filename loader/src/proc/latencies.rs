use std::time::Duration;

use ssi_abi::proc::{BUCKETS, bucket_start};

use crate::LoadError;
use crate::map::PerCpu;

/// How long tasks waited for a CPU each time that they got one: a histogram of the whole
/// machine. Buckets are a quarter wide at most.
#[derive(Debug)]
pub struct Latencies(PerCpu<u64>);

impl Latencies {
    pub(super) fn new(inner: PerCpu<u64>) -> Self {
        Self(inner)
    }

    /// `(least latency of the bucket, turns so far)`, shortest first; empty buckets are left
    /// out.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn read(&self) -> Result<Vec<(Duration, u64)>, LoadError> {
        let mut counts = vec![0; BUCKETS];
        self.0.for_each(|index, by_cpu| {
            if let Some(count) = counts.get_mut(index as usize) {
                *count = by_cpu.iter().sum();
            }
        })?;
        Ok((0..)
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(bucket, count)| (Duration::from_nanos(bucket_start(bucket)), count))
            .collect())
    }
}
