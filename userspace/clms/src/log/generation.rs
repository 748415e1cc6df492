//! Which log this is: one that was founded anew is another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The generation of a seat's log, shared between those who have to know; see
/// [`generation`](crate::core::pair::generation).
#[derive(Clone, Debug, Default)]
pub struct Generation(Arc<AtomicU64>);

impl Generation {
    /// What it is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, generation: u64) {
        self.0.store(generation, Ordering::Release);
    }
}
