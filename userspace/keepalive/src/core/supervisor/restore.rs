//! A new supervisor goes on where another one ended, however that ended.

use std::sync::Arc;

use super::Supervisor;
use crate::config::{Config, Process};
use crate::core::action::Action;
use crate::core::id::Id;
use crate::core::instance::{Instance, Kept};
use crate::core::time::Time;

impl Supervisor {
    /// One that goes on with what was kept. The actions ask for what became of the
    /// processes meanwhile; each answer is told as if it had just happened.
    ///
    /// `fenced`: whether this node is without a lease now.
    pub fn restore(
        now: Time,
        config: Arc<Config>,
        kept: impl IntoIterator<Item = (Id, Kept)>,
        fenced: bool,
    ) -> (Self, Vec<Action>) {
        let mut made = Self::new(config);
        made.fenced = fenced;
        for (id, kept) in kept {
            let process = made.config.process(&id.process).cloned();
            // What the configuration has no more is ended by Release, as it always is.
            let process = process.unwrap_or_else(|| Process::new(&id.process, "/"));
            let can_move = made.config.place(&process).can_move();
            made.add(Instance::kept(id, Arc::new(process), can_move, kept));
        }
        for id in made.all() {
            made.act(now, &id, |instance, out| {
                instance.recover(now, out);
                if instance.can_move && instance.kept.phase.is_alive() {
                    // Whether the old one stood it still is not known.
                    out.actions.push(Action::Freeze {
                        id: instance.id.clone(),
                        run: instance.kept.run,
                        frozen: fenced,
                    });
                    instance.stands_still(fenced);
                }
            });
        }
        made.go_on(now);
        let actions = std::mem::take(&mut made.actions);
        (made, actions)
    }
}
