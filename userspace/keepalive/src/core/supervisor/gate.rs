//! Who may start, and who may stop: what each waits for.

use std::collections::VecDeque;

use super::Supervisor;
use crate::core::id::Id;
use crate::core::instance::{Instance, Phase};
use crate::core::time::Time;

impl Supervisor {
    /// Whoever may go on does, until nobody is left who can.
    pub(super) fn go_on(&mut self, now: Time) {
        loop {
            self.look_at_all(now);
            let Some(id) = self.next_in_line() else {
                return;
            };
            self.act(now, &id, |instance, out| instance.start(now, out));
        }
    }

    fn look_at_all(&mut self, now: Time) {
        // In the order in which they came: whoever waits longest is first in line.
        let mut todo = VecDeque::from(std::mem::take(&mut self.todo));
        while let Some(id) = todo.pop_front() {
            let Some(instance) = self.instance(&id) else {
                continue;
            };
            if instance.kept.held.is_some() {
                if self.is_needed(&id) {
                    continue;
                }
                self.act(now, &id, |instance, out| {
                    if let Some(then) = instance.kept.held.take() {
                        instance.end(now, then, out);
                    }
                });
            } else if instance.kept.phase == Phase::Waiting {
                if instance.kept.together && self.group_can_start(&id) {
                    self.start_together(now, &id);
                } else if self.gate(&id).is_none() {
                    self.get_in_line(&id);
                }
            }
            todo.extend(self.todo.drain(..));
        }
    }

    /// Somebody who depends on it is being stopped too, and has not ended yet.
    fn is_needed(&self, id: &Id) -> bool {
        let going = |instance: &Instance| {
            let ending = matches!(instance.kept.phase, Phase::Ending(_));
            instance.kept.phase.is_alive() && (ending || instance.kept.held.is_some())
        };
        let dependents = self.dependents.get(&id.process).into_iter().flatten();
        dependents
            .flat_map(|dependent| self.ids(dependent))
            .any(|id| self.instance(&id).is_some_and(going))
    }

    /// What an instance that wants to start waits for, in words.
    pub(super) fn gate(&self, id: &Id) -> Option<String> {
        let instance = self.instance(id)?;
        if self.quiesced {
            return Some("supervision is quiesced, nothing is started".to_owned());
        }
        if self.fenced && instance.can_move {
            let why = "this node has no lease, and another may be about to run it";
            return Some(why.to_owned());
        }
        let others = self.members_left(id);
        if instance.kept.together || !others.is_empty() {
            let others = others.join(", ");
            return Some(format!(
                "its group restarts together; it waits for {others}"
            ));
        }
        let mut after = instance.process.after.iter();
        let missing = after.find(|name| !self.is_ready(name))?;
        Some(self.missing(missing))
    }

    /// Whether an instance of this process is ready, here or on another node.
    fn is_ready(&self, process: &str) -> bool {
        let here = self.ids(process);
        let mut here = here.iter().filter_map(|id| self.instance(id));
        here.any(Instance::is_ready) || self.elsewhere.contains_key(process)
    }

    /// Why a process that others wait for is not ready.
    fn missing(&self, process: &str) -> String {
        let here = self.ids(process);
        let states: Vec<String> = (here.iter())
            .filter_map(|id| self.instance(id))
            .map(|instance| format!("{}: {}", instance.id, instance.state()))
            .collect();
        if states.is_empty() {
            return format!("it waits for {process}, which is not ready on any node");
        }
        let states = states.join(", ");
        format!("it waits for {process}, which is not ready ({states})")
    }
}
