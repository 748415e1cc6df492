//! One after the other: a thousand processes that die at once are not started at once.
//!
//! So many are being started at a time, and the others stand in line: one line for each
//! process of the configuration, in the order in which its instances came, and the lines have
//! their turns one after the other. So a thousand instances of something don't keep anything
//! else waiting. Between two starts the runner does what else there is: what has died is
//! heard of, operators are answered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Supervisor;
use crate::core::id::Id;
use crate::core::instance::Phase;

/// How many are being started at a time.
pub(super) const AT_ONCE: usize = 16;

/// Those that could start.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Whose line has its turn when.
    turns: VecDeque<Arc<str>>,
    waiting: BTreeMap<Arc<str>, VecDeque<Id>>,
}

impl Lines {
    fn push(&mut self, id: &Id) {
        let line = self.waiting.entry(id.process.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(id.process.clone());
        }
        line.push_back(id.clone());
    }

    fn pop(&mut self) -> Option<Id> {
        let process = self.turns.pop_front()?;
        let line = self.waiting.get_mut(&process)?;
        let id = line.pop_front();
        if line.is_empty() {
            self.waiting.remove(&process);
        } else {
            self.turns.push_back(process);
        }
        id
    }
}

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
            self.lines.push(id);
        }
    }

    /// Whose turn it is to start, if there is room; whoever can't any more gets out of line.
    pub(super) fn next_in_line(&mut self) -> Option<Id> {
        while self.starting.len() < AT_ONCE {
            let id = self.lines.pop()?;
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
