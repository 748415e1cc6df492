//! Every change of an instance goes through here: what it means for the others.

use std::mem::{Discriminant, discriminant};

use super::Supervisor;
use crate::core::action::Action;
use crate::core::condition::Condition;
use crate::core::id::{Id, Main, Run};
use crate::core::instance::{Down, Instance, Out, Phase, Then};
use crate::core::state::State;
use crate::core::time::Time;

/// What of an instance others go by, or a new supervisor has to know.
#[derive(PartialEq)]
struct Seen {
    phase: Discriminant<Phase>,
    state: State,
    ready: bool,
    condition: Option<Condition>,
    alive: bool,
    down: bool,
    run: Run,
    main: Option<Main>,
    errors: u64,
    then: Option<Then>,
    held: Option<Then>,
    flags: (bool, bool),
}

impl Seen {
    fn of(instance: &Instance) -> Self {
        let kept = &instance.kept;
        let then = match &kept.phase {
            Phase::Ending(ending) => Some(ending.then.clone()),
            _ => None,
        };
        Self {
            phase: discriminant(&kept.phase),
            state: instance.state(),
            ready: instance.is_ready(),
            condition: instance.condition(),
            alive: kept.phase.is_alive(),
            down: matches!(&kept.phase, Phase::Down(Down::Errors | Down::Code(_))),
            run: kept.run,
            main: instance.main(),
            errors: kept.record.total,
            then,
            held: kept.held.clone(),
            flags: (kept.again, kept.together),
        }
    }
}

impl Supervisor {
    /// Does something with an instance, and whatever follows from it.
    pub(super) fn act(&mut self, now: Time, id: &Id, what: impl FnOnce(&mut Instance, &mut Out)) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let before = Seen::of(&entry.instance);
        let mut out = Out {
            seed: self.seed,
            ..Out::default()
        };
        what(&mut entry.instance, &mut out);
        let after = Seen::of(&entry.instance);
        if entry.instance.kept.phase == Phase::Starting {
            self.starting.insert(id.clone());
        } else {
            self.starting.remove(id);
        }
        let gone = entry.instance.kept.phase == Phase::Gone;
        let due = entry.instance.due().filter(|_| !gone);
        if due != entry.timer {
            if let Some(old) = entry.timer {
                self.timers.remove(&(old, id.clone()));
            }
            if let Some(due) = due {
                self.timers.insert((due, id.clone()));
            }
            entry.timer = due;
        }
        self.actions.append(&mut out.actions);
        if before == after && !gone {
            return;
        }
        self.changed.insert(id.clone());
        self.todo.push(id.clone());
        if before.state != after.state {
            self.actions.push(Action::Report {
                id: id.clone(),
                from: before.state,
                to: after.state,
                why: self.why(now, id).unwrap_or_default(),
            });
        }
        if before.condition != after.condition {
            self.actions.push(Action::Condition {
                id: id.clone(),
                condition: after.condition,
            });
        }
        let needed = self
            .instance(id)
            .map_or_else(Vec::new, |i| i.process.after.clone());
        if gone {
            self.entries.remove(id);
        }
        if before.ready != after.ready {
            self.tell_dependents(&id.process);
        }
        let stops = (before.alive, before.held, before.then);
        if stops != (after.alive, after.held, after.then) {
            self.tell_those_before(&needed);
        }
        self.tell_group(&id.process);
        if out.failed {
            self.member_failed(now, id);
        }
        if after.down && !before.down {
            self.member_down(now, id);
        }
    }

    /// Whoever waits for this process may go on.
    pub(super) fn tell_dependents(&mut self, process: &str) {
        for dependent in self.dependents.get(process).cloned().unwrap_or_default() {
            let ids = self.ids(&dependent);
            self.todo.extend(ids);
        }
    }

    /// Whoever this process needed may stop, if that was wanted.
    fn tell_those_before(&mut self, after: &[String]) {
        for before in after {
            let ids = self.ids(before);
            self.todo.extend(ids);
        }
    }
}
