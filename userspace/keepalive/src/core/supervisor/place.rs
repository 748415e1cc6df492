//! What runs here: as the configuration and the view log have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entry, Supervisor};
use crate::config::Config;
use crate::core::action::Action;
use crate::core::id::Id;
use crate::core::instance::{Instance, Kept, Phase, Then};
use crate::core::record::{Carried, Record};
use crate::core::time::Time;
use crate::node::Node;

impl Supervisor {
    /// What runs goes on as it is; the next start is by the new words.
    pub(super) fn configured(&mut self, config: Arc<Config>) {
        self.dependents.clear();
        for process in &config.process {
            for after in &process.after {
                let dependents = self.dependents.entry(after.as_str().into());
                dependents.or_default().push(process.name.as_str().into());
            }
        }
        self.groups.clear();
        for group in &config.group {
            let group = Arc::new(group.clone());
            for member in &group.members {
                self.groups.insert(member.as_str().into(), group.clone());
            }
        }
        let processes: BTreeMap<&str, Arc<_>> = (config.process.iter())
            .map(|process| (process.name.as_str(), Arc::new(process.clone())))
            .collect();
        for (id, entry) in &mut self.entries {
            let Some(process) = processes.get(&*id.process) else {
                continue;
            };
            entry.instance.can_move = config.place(process).can_move();
            if entry.instance.process != *process {
                entry.instance.process = process.clone();
            }
        }
        self.config = config;
        self.todo = self.all();
    }

    pub(super) fn place(&mut self, now: Time, id: Id, carried: Option<Carried>) {
        if self.entries.contains_key(&id) {
            // It was to go, and is to stay after all.
            self.act(now, &id, |instance, _| {
                let kept = &mut instance.kept;
                if kept.held == Some(Then::Gone) {
                    kept.held = None;
                }
                if let Phase::Ending(ending) = &mut kept.phase
                    && ending.then == Then::Gone
                {
                    ending.then = Then::Start;
                }
            });
            return;
        }
        let record = carried.map_or_else(Record::default, |carried| carried.record(now));
        let Some(process) = self.config.process(&id.process) else {
            return;
        };
        let can_move = self.config.place(process).can_move();
        let process = Arc::new(process.clone());
        let instance = Instance::new(id.clone(), process, can_move, record);
        self.add(instance);
    }

    pub(super) fn add(&mut self, instance: Instance) {
        let id = instance.id.clone();
        if instance.kept.phase == Phase::Starting {
            self.starting.insert(id.clone());
        }
        let entry = Entry {
            instance,
            timer: None,
            in_line: false,
        };
        self.entries.insert(id.clone(), entry);
        self.changed.insert(id.clone());
        self.todo.push(id);
    }

    /// It ends here, and is gone; what isn't here is gone already.
    pub(super) fn release(&mut self, now: Time, id: &Id) {
        if !self.entries.contains_key(id) {
            self.actions.push(Action::Gone {
                id: id.clone(),
                carried: Carried::default(),
            });
            return;
        }
        self.act(now, id, |instance, _| {
            instance.kept.together = false;
            instance.kept.held = Some(Then::Gone);
        });
    }

    pub(super) fn ready_elsewhere(&mut self, process: &Arc<str>, node: Node, ready: bool) {
        let nodes = self.elsewhere.entry(process.clone()).or_default();
        if ready {
            nodes.insert(node);
        } else {
            nodes.remove(&node);
        }
        if nodes.is_empty() {
            self.elsewhere.remove(process);
        }
        self.tell_dependents(process);
    }

    pub(super) fn node_down(&mut self, node: Node) {
        self.elsewhere.retain(|_, nodes| {
            nodes.remove(&node);
            !nodes.is_empty()
        });
    }

    /// What a new supervisor has to know of an instance; none: there is no such thing here.
    #[must_use]
    pub fn kept(&self, id: &Id) -> Option<&Kept> {
        self.instance(id).map(|instance| &instance.kept)
    }
}
