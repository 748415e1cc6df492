//! The agreed slot table: a function of the sequence of edits, so that every node that
//! sees the same edits has the same table.
//!
//! An edit moves only the slots that must move. Shares are exact: the weights' shares of
//! 65,536 by largest remainder, so no server has more or less than its share by a slot.

use std::collections::BTreeMap;

use ssi_abi::table::{self, SLOTS};
use ssi_api::lvs::ServerName;

use super::Member;

/// A service's slots, each with its current and previous owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotTable {
    entries: Vec<u32>,
}

impl Default for SlotTable {
    fn default() -> Self {
        Self {
            entries: vec![0; SLOTS as usize],
        }
    }
}

impl SlotTable {
    /// A table as it stands in the map (after a restart).
    #[must_use]
    pub fn from_entries(entries: Vec<u32>) -> Self {
        assert_eq!(
            entries.len(),
            SLOTS as usize,
            "a slot table has {SLOTS} entries"
        );
        Self { entries }
    }

    /// Every slot, as an entry of `TABLE`.
    #[must_use]
    pub fn entries(&self) -> &[u32] {
        &self.entries
    }

    /// How many slots each server owns.
    #[must_use]
    pub fn owned(&self) -> BTreeMap<u16, u32> {
        let mut owned = BTreeMap::new();
        for entry in &self.entries {
            *owned.entry(table::current(*entry)).or_default() += 1;
        }
        owned.remove(&0);
        owned
    }

    /// Whether any slot has a previous owner.
    #[must_use]
    pub fn unsettled(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| table::previous(*entry) != 0)
    }

    /// Gives the slots to these servers, by their weights. A server of weight 0 owns none,
    /// but stays the previous owner of those it had; one that is not named any more is
    /// forgotten. Returns the slots whose entry changed, in order.
    ///
    /// While all weights are 0 no slot moves: nobody could have it, and an owner that made
    /// way for nobody would take the place of the previous one. The packet path looks at the
    /// weight, and gives such an owner no new connections.
    ///
    /// A slot remembers one previous owner, so one that moves twice forgets whose
    /// connections the first was. A server that comes back gets its own slots back before
    /// others, and a slot that has not moved yet goes before one that has.
    pub fn assign(&mut self, members: &[Member]) -> Vec<u32> {
        let before = self.entries.clone();
        self.forget(members);
        let targets = targets(members);
        if !targets.is_empty() {
            self.give_back(&targets);
            let free = self.release(&targets);
            self.give(free, &targets, members);
        }
        (0..SLOTS)
            .filter(|i| before[*i as usize] != self.entries[*i as usize])
            .collect()
    }

    /// Owners that are no members any more own nothing and are nobody's previous owner.
    fn forget(&mut self, members: &[Member]) {
        let known = |index| members.iter().any(|member| member.index == index);
        let mut is_known: BTreeMap<u16, bool> = BTreeMap::new();
        for entry in &mut self.entries {
            let mut kept = |index: u16| {
                let known = *is_known
                    .entry(index)
                    .or_insert_with(|| index == 0 || known(index));
                if known { index } else { 0 }
            };
            *entry = table::entry(kept(table::current(*entry)), kept(table::previous(*entry)));
        }
    }

    /// Slots of those that have too many go back to their previous owners, as far as these
    /// have too few.
    fn give_back(&mut self, targets: &BTreeMap<u16, u32>) {
        let owned = self.owned();
        let mut excess: BTreeMap<u16, u32> = BTreeMap::new();
        let mut lacks: BTreeMap<u16, u32> = BTreeMap::new();
        for index in owned.keys().chain(targets.keys()) {
            let has = owned.get(index).copied().unwrap_or(0);
            let wanted = targets.get(index).copied().unwrap_or(0);
            excess.insert(*index, has.saturating_sub(wanted));
            lacks.insert(*index, wanted.saturating_sub(has));
        }
        for entry in &mut self.entries {
            let (owner, previous) = (table::current(*entry), table::previous(*entry));
            let spare = excess.get_mut(&owner).filter(|spare| **spare > 0);
            let lack = lacks.get_mut(&previous).filter(|lack| **lack > 0);
            if let (Some(spare), Some(lack)) = (spare, lack) {
                *spare -= 1;
                *lack -= 1;
                *entry = table::entry(previous, owner);
            }
        }
    }

    /// The slots to be given away: those without an owner, and of each owner as many as it
    /// has too many, spread evenly over the table; those that have never moved first.
    fn release(&mut self, targets: &BTreeMap<u16, u32>) -> Vec<u32> {
        let mut unmoved: BTreeMap<u16, u32> = BTreeMap::new();
        for entry in &self.entries {
            if table::previous(*entry) == 0 {
                *unmoved.entry(table::current(*entry)).or_default() += 1;
            }
        }
        let mut excess: BTreeMap<u16, [Spread; 2]> = BTreeMap::new();
        for (owner, has) in self.owned() {
            let spare = has.saturating_sub(targets.get(&owner).copied().unwrap_or(0));
            let fresh = unmoved.get(&owner).copied().unwrap_or(0);
            let first = spare.min(fresh);
            let spreads = [
                Spread::new(first, fresh),
                Spread::new(spare - first, has - fresh),
            ];
            excess.insert(owner, spreads);
        }
        let leaves = |entry: &u32| match excess.get_mut(&table::current(*entry)) {
            Some(spreads) => spreads[usize::from(table::previous(*entry) != 0)].next(),
            None => true,
        };
        (0..SLOTS)
            .zip(self.entries.iter().map(leaves))
            .filter(|(_, gone)| *gone)
            .map(|(i, _)| i)
            .collect()
    }

    /// Gives the free slots to those that have too few, in turn by how many they lack.
    fn give(&mut self, free: Vec<u32>, targets: &BTreeMap<u16, u32>, members: &[Member]) {
        let mut has = self.owned();
        for slot in &free {
            if let Some(n) = has.get_mut(&table::current(self.entries[*slot as usize])) {
                *n -= 1;
            }
        }
        let mut order: Vec<&Member> = members.iter().collect();
        order.sort_by_key(|member| member.name);
        let mut takers: Vec<Taker> = order
            .iter()
            .map(|member| {
                let target = targets.get(&member.index).copied().unwrap_or(0);
                let has = has.get(&member.index).copied().unwrap_or(0);
                Taker {
                    index: member.index,
                    lacks: i64::from(target.saturating_sub(has)),
                    credit: 0,
                }
            })
            .filter(|taker| taker.lacks > 0)
            .collect();
        for slot in free {
            let entry = &mut self.entries[slot as usize];
            let old = table::current(*entry);
            // They lack as many as are free.
            let new = next_taker(&mut takers).unwrap_or(0);
            let previous = if old == 0 {
                table::previous(*entry)
            } else {
                old
            };
            *entry = table::entry(new, if previous == new { 0 } else { previous });
        }
    }
}

/// A server that lacks slots.
struct Taker {
    index: u16,
    lacks: i64,
    credit: i64,
}

/// Whose turn it is: smooth weighted round robin, so that each gets what it lacks, and
/// nobody gets its slots in one stretch.
fn next_taker(takers: &mut [Taker]) -> Option<u16> {
    let total: i64 = takers.iter().map(|taker| taker.lacks).sum();
    for taker in takers.iter_mut() {
        taker.credit += taker.lacks;
    }
    // The first of equals: takers are in the order of their names.
    let best = takers.iter_mut().reduce(|best, taker| {
        if taker.credit > best.credit {
            taker
        } else {
            best
        }
    })?;
    best.credit -= total;
    Some(best.index)
}

/// Says yes `part` times out of `whole` calls, evenly (Bresenham).
struct Spread {
    part: u32,
    whole: u32,
    sum: u64,
}

impl Spread {
    const fn new(part: u32, whole: u32) -> Self {
        Self {
            part,
            whole,
            sum: 0,
        }
    }

    fn next(&mut self) -> bool {
        self.sum += u64::from(self.part);
        if self.sum < u64::from(self.whole) || self.part == 0 {
            return false;
        }
        self.sum -= u64::from(self.whole);
        true
    }
}

/// How many slots each server shall own: largest remainder; the servers' names break
/// ties, so that all nodes break them alike. None of them any if all weights are 0.
#[must_use]
pub fn targets(members: &[Member]) -> BTreeMap<u16, u32> {
    let sum: u64 = members.iter().map(|member| u64::from(member.weight)).sum();
    if sum == 0 {
        return BTreeMap::new();
    }
    let slots = u64::from(SLOTS);
    let mut shares: Vec<(u64, ServerName, u16, u32)> = members
        .iter()
        .map(|member| {
            let exact = u64::from(member.weight) * slots;
            (exact % sum, member.name, member.index, (exact / sum) as u32)
        })
        .collect();
    let left = slots
        - shares
            .iter()
            .map(|(.., whole)| u64::from(*whole))
            .sum::<u64>();
    shares.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for share in shares.iter_mut().take(left as usize) {
        share.3 += 1;
    }
    shares
        .into_iter()
        .map(|(_, _, index, slots)| (index, slots))
        .collect()
}

#[cfg(test)]
mod tests;
