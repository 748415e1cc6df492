use std::collections::BTreeMap;

use ssi_abi::table::BLOCK;
use thiserror::Error;

/// The scheduling tables are full.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no room for a scheduling table of {wanted} entries: {free} are free, the longest run is {longest}; raise lvs.table_entries in ssi.toml (it takes effect after `ssid --unload`)"
)]
pub struct Full {
    /// Entries wanted.
    pub wanted: u32,
    /// Entries free altogether.
    pub free: u32,
    /// The longest run of free entries.
    pub longest: u32,
}

/// Gives out ranges of the scheduling tables, in blocks of [`BLOCK`] entries; first fit.
#[derive(Clone, Debug)]
pub struct Allocator {
    /// Free runs: first block → how many; never adjacent, never empty.
    free: BTreeMap<u32, u32>,
}

impl Allocator {
    /// All of `entries` free, rounded down to whole blocks.
    #[must_use]
    pub fn new(entries: u32) -> Self {
        let blocks = entries / BLOCK;
        Self {
            free: (blocks > 0).then_some((0, blocks)).into_iter().collect(),
        }
    }

    /// A range of at least `entries`; returns its first entry.
    ///
    /// # Errors
    /// [`Full`]
    pub fn take(&mut self, entries: u32) -> Result<u32, Full> {
        let blocks = entries.div_ceil(BLOCK).max(1);
        let found = self
            .free
            .iter()
            .find(|(_, run)| **run >= blocks)
            .map(|(at, run)| (*at, *run));
        let Some((at, run)) = found else {
            return Err(Full {
                wanted: entries,
                free: self.free.values().sum::<u32>() * BLOCK,
                longest: self.free.values().max().copied().unwrap_or(0) * BLOCK,
            });
        };
        self.free.remove(&at);
        if run > blocks {
            self.free.insert(at + blocks, run - blocks);
        }
        Ok(at * BLOCK)
    }

    /// Takes a particular range (after a restart); false if any of it is taken.
    pub fn reserve(&mut self, first: u32, entries: u32) -> bool {
        let (from, blocks) = (first / BLOCK, entries.div_ceil(BLOCK).max(1));
        let Some((at, run)) = self
            .free
            .range(..=from)
            .next_back()
            .map(|(at, run)| (*at, *run))
        else {
            return false;
        };
        let end = at + run;
        if !first.is_multiple_of(BLOCK) || from + blocks > end {
            return false;
        }
        self.free.remove(&at);
        if from > at {
            self.free.insert(at, from - at);
        }
        if from + blocks < end {
            self.free.insert(from + blocks, end - from - blocks);
        }
        true
    }

    /// Gives a range back.
    pub fn give(&mut self, first: u32, entries: u32) {
        let (mut at, mut blocks) = (first / BLOCK, entries.div_ceil(BLOCK).max(1));
        if let Some((before, run)) = self.free.range(..at).next_back().map(|(a, r)| (*a, *r))
            && before + run == at
        {
            self.free.remove(&before);
            at = before;
            blocks += run;
        }
        if let Some(run) = self.free.remove(&(at + blocks)) {
            blocks += run;
        }
        self.free.insert(at, blocks);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_never_overlap_and_all_come_back(
            steps in proptest::collection::vec((any::<bool>(), 1..200_u32), 1..200)
        ) {
            let mut allocator = Allocator::new(4096);
            let mut held: Vec<(u32, u32)> = Vec::new();
            for (take, n) in steps {
                if take {
                    if let Ok(first) = allocator.take(n) {
                        prop_assert!(first + n <= 4096);
                        for (other, len) in &held {
                            prop_assert!(first + n <= *other || other + len <= first);
                        }
                        held.push((first, n));
                    }
                } else if !held.is_empty() {
                    let (first, len) = held.swap_remove(n as usize % held.len());
                    allocator.give(first, len);
                }
            }
            let mut again = Allocator::new(4096);
            for (first, len) in &held {
                prop_assert!(again.reserve(*first, *len));
                prop_assert!(!again.reserve(*first, *len));
            }
            prop_assert_eq!(&again.free, &allocator.free);
            for (first, len) in held {
                allocator.give(first, len);
            }
            prop_assert_eq!(allocator.take(4096), Ok(0));
        }
    }

    #[test]
    fn full_says_how_full() {
        let mut allocator = Allocator::new(64);
        assert_eq!(allocator.take(20), Ok(0));
        assert_eq!(
            allocator.take(64),
            Err(Full {
                wanted: 64,
                free: 32,
                longest: 32
            })
        );
    }
}
