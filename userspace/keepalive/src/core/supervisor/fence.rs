//! The lease: what may run elsewhere runs here only while there is one.
//!
//! Its processes are stood still when the lease is over, and go on if nothing was given
//! away: so a lease that is lost for a moment costs nobody a restart.

use super::Supervisor;
use crate::core::instance::Then;
use crate::core::time::Time;

impl Supervisor {
    pub(super) fn fence(&mut self, now: Time) {
        self.fenced = true;
        self.stand_still(now, true);
    }

    pub(super) fn unfence(&mut self, now: Time) {
        self.fenced = false;
        self.stand_still(now, false);
        self.todo = self.all();
    }

    fn stand_still(&mut self, now: Time, frozen: bool) {
        for id in self.all() {
            self.act(now, &id, |instance, out| {
                if instance.can_move || !frozen {
                    instance.freeze(now, frozen, out);
                }
            });
        }
    }

    /// Others run it by now, or will. Nothing starts before there is a lease again.
    pub(super) fn lost(&mut self, now: Time) {
        self.fenced = true;
        for id in self.all() {
            self.act(now, &id, |instance, out| {
                if instance.can_move {
                    instance.kept.held = None;
                    instance.end_at_once(now, Then::Gone, out);
                }
            });
        }
    }
}
