//! One after the other: a thousand processes that die at once are not started at once.
//!
//! So many are being started at a time, and the others stand in line in the order in which
//! they came. Between two starts the runner does what else there is: what has died is heard
//! of, operators are answered.

use super::Supervisor;
use crate::core::id::Id;
use crate::core::instance::Phase;

/// How many are being started at a time.
pub(super) const AT_ONCE: usize = 16;

impl Supervisor {
    /// Makes waits before restarts differ: what fails together need not come back together.
    /// The same seed gives the same waits; each node should have its own.
    pub const fn spread(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// It could start.
    pub(super) fn get_in_line(&mut self, id: &Id) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if !entry.in_line {
            entry.in_line = true;
            self.line.push_back(id.clone());
        }
    }

    /// Whose turn it is to start, if there is room; whoever can't any more gets out of line.
    pub(super) fn next_in_line(&mut self) -> Option<Id> {
        while self.starting.len() < AT_ONCE {
            let id = self.line.pop_front()?;
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            entry.in_line = false;
            let kept = &entry.instance.kept;
            let waits = kept.phase == Phase::Waiting && kept.held.is_none();
            if waits && self.gate(&id).is_none() {
                return Some(id);
            }
        }
        None
    }

    /// What somebody who could start waits for.
    pub(super) fn turn(&self, id: &Id) -> Option<String> {
        let entry = self.entries.get(id)?;
        let others = self.starting.len();
        entry
            .in_line
            .then(|| format!("it waits for its turn: {others} others are being started"))
    }
}
