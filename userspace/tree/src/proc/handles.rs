//! What is open.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Things that are open, by the numbers that the kernel names them by.
#[derive(Debug)]
pub(super) struct Handles<T> {
    open: Mutex<(u64, HashMap<u64, T>)>,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            open: Mutex::new((0, HashMap::new())),
        }
    }
}

impl<T: Clone> Handles<T> {
    /// Opens something; its number.
    pub(super) fn open(&self, what: T) -> u64 {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.0 += 1;
        let number = open.0;
        open.1.insert(number, what);
        number
    }

    /// What is open by this number.
    pub(super) fn get(&self, number: u64) -> fuse3::Result<T> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.1
            .get(&number)
            .cloned()
            .ok_or_else(|| libc::EBADF.into())
    }

    /// In its place comes another thing.
    pub(super) fn set(&self, number: u64, what: T) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = open.1.get_mut(&number) {
            *place = what;
        }
    }

    pub(super) fn close(&self, number: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.1.remove(&number);
    }
}
