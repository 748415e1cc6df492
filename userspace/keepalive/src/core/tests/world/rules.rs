//! What must never be otherwise.

use std::collections::BTreeMap;

use super::World;
use crate::core::instance::{Phase, Then};
use crate::core::{Condition, Id, State};

impl World {
    /// The first member that starts after a failure finds no other that runs, but for those
    /// that were adopted.
    pub(super) fn starts_together(&mut self, id: &Id) {
        let config = self.config.clone();
        let Some(group) = config.group_of(&id.process) else {
            return;
        };
        if !self.restarting.remove(&group.name) {
            return;
        }
        for member in group.members.iter().map(|name| Id::new(name, 0)) {
            let leaving = self.supervisor.kept(&member).is_none_or(|kept| {
                let leaves = |then: &Then| *then != Then::Start;
                kept.held.is_some()
                    || matches!(&kept.phase, Phase::Ending(ending) if leaves(&ending.then))
            });
            assert!(
                leaving || self.trees.get(&member).is_none_or(|tree| tree.adopted),
                "{id} of {} starts while {member} runs as before",
                group.name
            );
        }
    }

    /// Rules that hold at any time.
    pub(super) fn look(&mut self) {
        let conditions: BTreeMap<Id, Condition> = self.supervisor.conditions().collect();
        assert_eq!(conditions, self.conditions, "what was told is not so");
        for (id, condition) in &conditions {
            let ok = self.supervisor.state(id) == Some(State::Ok);
            assert!(
                ok || !condition.is_ready(),
                "{id} is {condition:?} and not ok"
            );
        }
        let placed = |id: &Id| self.supervisor.state(id).is_some();
        self.errors.retain(|id, _| placed(id));
        for status in self.supervisor.list(self.now) {
            let id = &status.id;
            assert!(!status.why.is_empty(), "{id}");
            let kept = self.supervisor.kept(id).unwrap();
            let errors = self.errors.entry(id.clone()).or_default();
            assert!(kept.record.total >= *errors, "errors of {id} are forgotten");
            *errors = kept.record.total;
            assert_eq!(
                self.disk.get(id).map(|d| d.record.total),
                Some(kept.record.total)
            );
            let waits = match &kept.phase {
                Phase::Ending(_) | Phase::Pausing { .. } | Phase::Rejected { .. } => true,
                Phase::Running(live) => !live.ready && !self.fenced,
                _ => false,
            };
            if waits {
                assert!(
                    self.supervisor.due().is_some(),
                    "{id} waits without a timer"
                );
            }
            let tree = self.trees.get(id);
            if let Some(tree) = tree {
                assert!(kept.phase.is_alive(), "{id} runs and is {:?}", kept.phase);
                assert_eq!(tree.run, kept.run, "{id}");
            }
            let process = self.config.process(&id.process).unwrap();
            if self.fenced && self.config.place(process).can_move() {
                assert!(
                    tree.is_none_or(|tree| tree.frozen),
                    "{id} goes on without a lease"
                );
            }
        }
        for id in self.trees.keys() {
            assert!(placed(id), "{id} runs and nobody looks after it");
        }
    }
}
