use std::marker::PhantomData;

use aya::Pod;

use super::Raw;
use super::raw::{possible_cpus, zeroed};
use crate::LoadError;

/// An array with a record of its own for each CPU. The programs add to it; userspace
/// reads, and zeroes a record before its index is given to another.
#[derive(Debug)]
pub struct PerCpu<T> {
    raw: Raw,
    cpus: usize,
    kind: PhantomData<T>,
}

impl<T: Pod> PerCpu<T> {
    pub(crate) fn new(raw: Raw) -> Self {
        const {
            assert!(
                size_of::<T>().is_multiple_of(8),
                "the kernel rounds values up to 8 bytes"
            );
        };
        Self {
            raw,
            cpus: possible_cpus(),
            kind: PhantomData,
        }
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.raw.max_entries
    }

    /// Never: an array has a fixed length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One record, of each possible CPU.
    pub fn get(&self, index: u32) -> Result<Vec<T>, LoadError> {
        let mut values = zeroed(self.cpus);
        self.raw.get(&index, &mut values)?;
        Ok(values)
    }

    /// Sets one record to the same value on each CPU.
    pub fn fill(&self, index: u32, value: &T) -> Result<(), LoadError> {
        self.raw.set(&index, &vec![*value; self.cpus])
    }

    /// Shows every index with its record of each CPU. In batches where the kernel can
    /// (5.13 for per-CPU arrays), which makes a big difference here.
    pub fn for_each(&self, mut each: impl FnMut(u32, &[T])) -> Result<(), LoadError> {
        self.raw
            .dump(self.cpus, |index: &u32, values: &[T]| each(*index, values))
    }
}
