//! Groups: members that stop and restart together.

use super::Supervisor;
use crate::core::id::Id;
use crate::core::instance::{Down, Phase, Stop, Then};
use crate::core::time::Time;

impl Supervisor {
    /// The instances of a process's group, itself included.
    pub(super) fn members(&self, process: &str) -> Vec<Id> {
        let group = self.groups.get(process);
        let members = group.into_iter().flat_map(|group| &group.members);
        members.flat_map(|member| self.ids(member)).collect()
    }

    /// Whoever waits for the whole group may go on.
    pub(super) fn tell_group(&mut self, process: &str) {
        let members = self.members(process);
        self.todo.extend(members);
    }

    /// A member has failed. If it is a critical one, all restart together: those who run
    /// are ended, and nobody starts before all can.
    pub(super) fn member_failed(&mut self, now: Time, id: &Id) {
        let Some(group) = self.groups.get(&id.process) else {
            return;
        };
        if !group.critical.iter().any(|name| **name == *id.process) {
            return;
        }
        for member in self.members(&id.process) {
            let own = member == *id;
            self.act(now, &member, |instance, out| {
                let kept = &mut instance.kept;
                let leaves = |then: &Then| *then != Then::Start;
                let stays = match &kept.phase {
                    Phase::Stopped(_) | Phase::Down(_) => true,
                    Phase::Ending(ending) => ending.is_deliberate() && leaves(&ending.then),
                    _ => false,
                };
                if stays || kept.held.as_ref().is_some_and(leaves) {
                    return;
                }
                kept.held = None;
                kept.together = true;
                if !own && matches!(kept.phase, Phase::Starting | Phase::Running(_)) {
                    kept.again = true;
                    instance.end(now, Then::Start, out);
                }
            });
        }
    }

    /// A member went down: so does its group.
    pub(super) fn member_down(&mut self, now: Time, id: &Id) {
        for member in self.members(&id.process) {
            if member == *id {
                continue;
            }
            self.act(now, &member, |instance, out| {
                let stopped = matches!(
                    instance.kept.phase,
                    Phase::Stopped(Stop::Operator | Stop::Disabled) | Phase::Down(_)
                );
                let leaving = matches!(
                    &instance.kept.phase,
                    Phase::Ending(ending) if matches!(ending.then, Then::Gone | Then::Stopped(_))
                );
                if !stopped && !leaving && instance.kept.held.is_none() {
                    instance.kept.together = false;
                    let down = Down::Group(id.process.to_string());
                    instance.end(now, Then::Down(down), out);
                }
            });
        }
        self.act(now, id, |instance, _| instance.kept.together = false);
    }

    /// Whom a member that restarts together with the others still waits for.
    pub(super) fn members_left(&self, id: &Id) -> Vec<String> {
        let members = self.members(&id.process);
        let instances = members.iter().filter_map(|id| self.instance(id));
        instances
            .filter(|member| member.kept.together && member.kept.phase != Phase::Waiting)
            .map(|member| member.id.to_string())
            .collect()
    }

    /// Whether all who restart together have come so far.
    pub(super) fn group_can_start(&self, id: &Id) -> bool {
        self.members_left(id).is_empty()
    }

    /// From here on, each member goes its own way again.
    pub(super) fn start_together(&mut self, now: Time, id: &Id) {
        for member in self.members(&id.process) {
            self.act(now, &member, |instance, _| instance.kept.together = false);
        }
        // A group that is no more leaves its members to themselves.
        self.act(now, id, |instance, _| instance.kept.together = false);
    }
}
