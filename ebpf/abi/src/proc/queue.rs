/// Buckets of the run-queue latency histogram: four to each power of two of nanoseconds, so
/// that a bucket is at most a quarter wide.
pub const BUCKETS: usize = 256;

/// Who got a CPU last; the one value of each CPU of map `RUNNING`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Address of its `struct task_struct`; 0: nobody known.
    pub task: u64,
    /// How long it had waited in its life before it waited for this turn, nanoseconds.
    pub waited: u64,
}

const _: () = assert!(size_of::<Running>() == 16);

/// The bucket of a latency, nanoseconds.
#[must_use]
#[inline(always)]
pub const fn bucket(nanoseconds: u64) -> u32 {
    if nanoseconds < 4 {
        return nanoseconds as u32;
    }
    let power = 63 - nanoseconds.leading_zeros();
    let quarter = (nanoseconds >> (power - 2)) as u32 & 3;
    (power - 1) * 4 + quarter
}

/// The least latency of a bucket, nanoseconds.
#[must_use]
pub const fn bucket_start(bucket: u32) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let power = bucket / 4 + 1;
    (4 | (bucket as u64 & 3)) << (power - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_in_its_bucket() {
        for power in 0..64 {
            for around in [-1_i64, 0, 1, 12_345] {
                let latency = (1_u64 << power).wrapping_add_signed(around);
                let bucket = bucket(latency);
                assert!((bucket as usize) < BUCKETS);
                assert!(bucket_start(bucket) <= latency);
                let last = bucket == super::bucket(u64::MAX);
                assert!(last || latency < bucket_start(bucket + 1));
            }
        }
    }

    #[test]
    fn a_bucket_is_at_most_a_quarter_wide() {
        for bucket in 8..bucket(u64::MAX) {
            let (from, to) = (bucket_start(bucket), bucket_start(bucket + 1));
            assert!(to > from && to - from <= from / 4 + 1, "{bucket}");
        }
    }
}
