//! What operators want.

use std::sync::Arc;

use super::Supervisor;
use crate::core::action::Action;
use crate::core::event::Order;
use crate::core::id::{Id, Main};
use crate::core::instance::{Phase, Stop, Then};
use crate::core::time::Time;

impl Supervisor {
    pub(super) fn order(&mut self, now: Time, order: Order) {
        match order {
            Order::Start(names) => self.each(&names, |this, id| this.start(now, id)),
            Order::Stop(names) => self.stop(now, &names),
            Order::Restart(names) => self.each(&names, |this, id| this.restart(now, id)),
            Order::Clear(names) => self.each(&names, |this, id| this.clear(now, id)),
            Order::Adopt(id, main) => self.adopt(now, &id, main),
            Order::Remove { id, kill: true } => self.release(now, &id),
            Order::Remove { id, kill: false } => self.abandon(now, &id),
            Order::Quiesce(quiesced) => {
                self.quiesced = quiesced;
                self.todo = self.all();
            }
        }
    }

    fn each(&mut self, names: &[Arc<str>], mut what: impl FnMut(&mut Self, &Id)) {
        for name in names {
            for id in self.ids(name) {
                what(self, &id);
            }
        }
    }

    /// All are marked before the first one ends, so that each knows who goes before it.
    fn stop(&mut self, now: Time, names: &[Arc<str>]) {
        self.each(names, |this, id| {
            this.act(now, id, |instance, _| {
                instance.kept.together = false;
                if instance.kept.held != Some(Then::Gone) {
                    instance.kept.held = Some(Then::Stopped(Stop::Operator));
                }
            });
        });
    }

    fn start(&mut self, now: Time, id: &Id) {
        self.act(now, id, |instance, out| {
            let kept = &mut instance.kept;
            if kept.held == Some(Then::Gone) {
                return;
            }
            kept.held = None;
            match &kept.phase {
                Phase::Waiting | Phase::Starting | Phase::Running(_) => {}
                Phase::Ending(ending) if ending.then == Then::Gone => {}
                _ => {
                    kept.again = false;
                    instance.end(now, Then::Start, out);
                }
            }
        });
    }

    fn restart(&mut self, now: Time, id: &Id) {
        let running = |phase: &Phase| matches!(phase, Phase::Starting | Phase::Running(_));
        if !self.instance(id).is_some_and(|i| running(&i.kept.phase)) {
            return self.start(now, id);
        }
        self.act(now, id, |instance, _| {
            if instance.kept.held.is_none() {
                instance.kept.again = false;
                instance.kept.held = Some(Then::Start);
            }
        });
    }

    /// What went down with its group comes back with it.
    fn clear(&mut self, now: Time, id: &Id) {
        let down = |this: &Self, id: &Id| {
            let instance = this.instance(id);
            instance.is_some_and(|i| matches!(i.kept.phase, Phase::Down(_)))
        };
        let members = if down(self, id) {
            self.members(&id.process)
        } else {
            Vec::new()
        };
        for member in members.iter().filter(|member| *member != id) {
            if down(self, member) {
                self.act(now, member, |instance, out| {
                    instance.kept.record.clear();
                    instance.kept.again = false;
                    instance.end(now, Then::Start, out);
                });
            }
        }
        self.act(now, id, |instance, out| {
            instance.kept.record.clear();
            let phase = &instance.kept.phase;
            if matches!(
                phase,
                Phase::Down(_) | Phase::Pausing { .. } | Phase::Rejected { .. }
            ) {
                instance.kept.again = false;
                instance.end(now, Then::Start, out);
            }
        });
    }

    /// What runs already, or is about to, is left alone.
    fn adopt(&mut self, now: Time, id: &Id, main: Main) {
        let fenced = self.fenced;
        self.act(now, id, |instance, out| {
            if instance.kept.phase.is_alive() || instance.kept.held.is_some() {
                return;
            }
            instance.adopt(now, main, out);
            if fenced && instance.can_move {
                instance.freeze(now, true, out);
            }
        });
    }

    fn abandon(&mut self, now: Time, id: &Id) {
        self.act(now, id, |instance, out| {
            if instance.kept.phase.is_alive() {
                out.actions.push(Action::Abandon {
                    id: instance.id.clone(),
                    run: instance.kept.run,
                });
            }
            instance.kept.phase = Phase::Gone;
        });
    }
}
