//! The contents of the address filter: words shared by all addresses with one hash, so
//! bits are counted.

use std::collections::{BTreeSet, HashMap};

use ssi_abi::{Addr, filter};

use super::Write;

const BITS: [u32; 5] = [
    filter::VIRTUAL,
    filter::CONNS,
    filter::REAL,
    filter::DIRECTED,
    filter::NODE,
];

/// Reference counts of every bit of every word in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    counts: HashMap<u32, [u32; BITS.len()]>,
    written: HashMap<u32, u32>,
    touched: BTreeSet<u32>,
}

impl Filter {
    /// What the map holds already (after a restart).
    pub(super) fn adopt(&mut self, word: u32, bits: u32) {
        self.written.insert(word, bits);
        self.touched.insert(word);
    }

    pub(super) fn add(&mut self, addr: Addr, bits: u32) {
        self.count(addr, bits, |n| n + 1);
    }

    pub(super) fn remove(&mut self, addr: Addr, bits: u32) {
        self.count(addr, bits, |n| {
            n.checked_sub(1).expect("removed what was added")
        });
    }

    fn count(&mut self, addr: Addr, bits: u32, change: impl Fn(u32) -> u32) {
        let word = filter::word(&addr);
        let counts = self.counts.entry(word).or_default();
        for (count, bit) in counts.iter_mut().zip(BITS) {
            if bits & bit != 0 {
                *count = change(*count);
            }
        }
        self.touched.insert(word);
    }

    fn bits(&self, word: u32) -> u32 {
        let counts = self.counts.get(&word).copied().unwrap_or_default();
        BITS.into_iter()
            .zip(counts)
            .filter(|(_, n)| *n > 0)
            .fold(0, |bits, (bit, _)| bits | bit)
    }

    /// The words that changed since the last call: what is to be written before a slot gets
    /// another owner, so that connections which are remembered from then on are found; and
    /// what after everything that the words lead to.
    pub(super) fn writes(&mut self) -> (Vec<Write>, Vec<Write>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for word in std::mem::take(&mut self.touched) {
            let bits = self.bits(word);
            let mut was = self.written.get(&word).copied().unwrap_or(0);
            if was & filter::VIRTUAL != 0 && bits & !was & filter::CONNS != 0 {
                was |= filter::CONNS;
                before.push(Write::Filter(word, was));
            }
            if was != bits {
                after.push(Write::Filter(word, bits));
            }
            self.written.insert(word, bits);
            if bits == 0 {
                self.counts.remove(&word);
            }
        }
        (before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_stays_while_anybody_needs_it() {
        let mut filter = Filter::default();
        let addr = Addr::v4(77);
        let word = filter::word(&addr);
        let both = filter::VIRTUAL | filter::CONNS;
        let write = |bits| vec![Write::Filter(word, bits)];
        filter.add(addr, filter::VIRTUAL);
        filter.add(addr, both);
        assert_eq!(filter.writes(), (vec![], write(both)));
        filter.remove(addr, both);
        assert_eq!(filter.writes(), (vec![], write(filter::VIRTUAL)));
        assert_eq!(filter.writes(), (vec![], vec![]));
        // Of an address that is balanced, connections are looked for before any is remembered.
        filter.add(addr, both);
        assert_eq!(filter.writes(), (write(both), vec![]));
        filter.remove(addr, both);
        filter.remove(addr, filter::VIRTUAL);
        assert_eq!(filter.writes(), (vec![], write(0)));
    }
}
