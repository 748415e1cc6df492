//! The agreed log, entry by entry.

use ssi_api::lvs::Command;

use super::Write;
use super::absent::Absent;
use super::draft::Drafts;
use super::error::Refused;
use super::model::Model;

/// What one entry of the log that all nodes agree on means for the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Of the entry; grows from entry to entry, from 1.
    pub epoch: u64,
    /// Which nodes take no new connections from here on: all of them, not only those that
    /// changed.
    pub absent: Absent,
    /// Lists of commands, each of which is carried out whole or not at all, after the
    /// nodes' coming and going.
    pub told: Vec<Vec<Command>>,
}

impl Model {
    /// Takes the next entry in. Whether a list is refused depends on nothing but the
    /// entries before it: not on this node's routes, addresses or room. For each list
    /// there is an answer; none at all if the entry was taken in before.
    pub fn step(&mut self, step: &Step) -> (Vec<Write>, Vec<Result<(), Refused>>) {
        if step.epoch <= self.epoch {
            return (Vec::new(), Vec::new());
        }
        self.epoch = step.epoch;
        let mut writes = self.set_absent(&step.absent);
        let mut answers = Vec::new();
        for commands in &step.told {
            answers.push(Drafts::of(self, commands).map(|drafts| {
                writes.extend(self.carry_out(drafts, commands));
            }));
        }
        (writes, answers)
    }

    /// This node belongs to no cluster any more: what it has is its own, and no node is
    /// absent for it.
    pub fn part(&mut self) -> Vec<Write> {
        self.epoch = 0;
        self.set_absent(&Absent::default())
    }

    fn set_absent(&mut self, absent: &Absent) -> Vec<Write> {
        let former = std::mem::replace(&mut self.absent, absent.clone());
        if former == *absent {
            return Vec::new();
        }
        let mut drafts = Drafts::default();
        for name in self.order.values() {
            let mut servers = self.services[name].servers.iter();
            if servers.any(|server| absent.differ(&former, server.name.addr)) {
                drafts.keep(self, name);
            }
        }
        self.carry_out(drafts, &[])
    }
}
