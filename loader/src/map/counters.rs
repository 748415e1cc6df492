use ssi_abi::counter;

use super::PerCpu;
use crate::LoadError;

/// What the programs count besides services and servers.
#[derive(Debug)]
pub struct Counters(PerCpu<u64>);

impl Counters {
    pub(crate) fn new(inner: PerCpu<u64>) -> Self {
        Self(inner)
    }

    /// One counter, by its constant in [`ssi_abi::counter`].
    pub fn get(&self, counter: u32) -> Result<u64, LoadError> {
        Ok(self.0.get(counter)?.iter().sum())
    }

    /// Every counter with its name.
    pub fn all(&self) -> Result<Vec<(&'static str, u64)>, LoadError> {
        (0..)
            .zip(counter::NAMES)
            .map(|(index, name)| Ok((*name, self.get(index)?)))
            .collect()
    }
}
