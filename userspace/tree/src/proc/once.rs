//! Numbers of inodes that are given once.
//!
//! The kernel keeps what a link says as long as it knows the link's inode, and says it to whoever
//! reads it next (`FUSE_CACHE_SYMLINKS`, which the library switches on where the kernel, 4.20 or
//! later, has it). Links of processes change, and not everybody may read them. So each look for one finds
//! an inode that was never there before.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::Entry;

/// Such numbers have this bit, and no others do that have none of the bits above it.
const FIRST: u64 = 1 << 60;

#[derive(Debug, Default)]
pub(super) struct Once(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    count: u64,
    known: HashMap<u64, Entry>,
}

impl Once {
    /// A number for an entry that nothing has had.
    pub(super) fn number(&self, entry: Entry) -> u64 {
        let mut given = self.given();
        let number = FIRST | given.count;
        given.count += 1;
        given.known.insert(number, entry);
        number
    }

    /// What has that number.
    pub(super) fn entry(&self, number: u64) -> Option<Entry> {
        self.given().known.get(&number).copied()
    }

    /// The kernel knows it no more.
    pub(super) fn forget(&self, number: u64) {
        if number & FIRST != 0 {
            self.given().known.remove(&number);
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another() {
        let once = Once::default();
        let (one, other) = (once.number(Entry::Native), once.number(Entry::Native));
        assert_ne!(one, other);
        assert_eq!(Entry::of_inode(one), None);
        assert_eq!(once.entry(one), Some(Entry::Native));
        once.forget(one);
        assert_eq!(
            (once.entry(one), once.entry(other)),
            (None, Some(Entry::Native))
        );
    }
}
