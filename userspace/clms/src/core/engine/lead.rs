//! A node that leads.

use std::time::Duration;

use super::{Engine, Output};
use crate::core::command::{Command, Refused, Wish};
use crate::core::duty::Duty;
use crate::core::member::Why;
use crate::core::message::{Message, Report};
use crate::core::{Epoch, NodeId, Time, Timing, View};

/// How often a master looks over its desk.
const LOOK: Duration = Duration::from_millis(10);

impl Engine {
    /// The log's word on who leads: this node in `term`, whom a majority of the voters
    /// last confirmed at `acked`; or somebody else, or nobody.
    pub fn leads(&mut self, now: Time, leadership: Option<(u64, Time)>) {
        // A leader whom the voters have not confirmed for so long is none, though nobody can
        // tell it so.
        let lasting = leadership.filter(|(_, acked)| now.since(*acked) < self.timing.lease);
        let (Some((term, acked)), Some(id)) = (lasting, self.id) else {
            self.duty = None;
            self.proposed = None;
            return;
        };
        self.acked = acked;
        if self.duty.as_ref().is_none_or(|duty| duty.term != term) {
            self.duty = Some(Duty::new(now, id, term, &self.timing));
            self.proposed = None;
            // If the last master is gone, now is the time to find out.
            if let Some(last) = self.view().master {
                self.prober.look(now, last.node);
            }
            self.report(now);
        }
    }

    /// What it proposed was refused or lost: it may propose again.
    pub fn not_committed(&mut self, now: Time) {
        self.proposed = None;
        self.lead_due = now + self.timing.burst;
        self.lead_now = false;
    }

    pub(super) fn is_confirmed(&self) -> bool {
        let view = self.follower.view();
        self.duty
            .as_ref()
            .is_some_and(|duty| duty.is_confirmed(view))
    }

    /// Whether it may give leases: the voters elect nobody else before this moment is over.
    pub(super) fn may_give(&self, now: Time) -> bool {
        now < self.acked + self.timing.surely(self.timing.mastery) && self.is_confirmed()
    }

    pub(super) fn lead_due(&self) -> Time {
        if self.duty.is_none() {
            return Time::NEVER;
        }
        if self.lead_now {
            Time(0)
        } else {
            self.lead_due
        }
    }

    pub(super) fn lead(&mut self, now: Time) {
        let Some(me) = self.duty.as_ref().map(|duty| duty.me) else {
            return;
        };
        if !std::mem::take(&mut self.lead_now) && now < self.lead_due {
            return;
        }
        self.lead_due = now + LOOK;
        let view = self.view().clone();
        if self.may_give(now) {
            self.renew(now, me, &view);
            self.show(now);
        }
        if let Some(duty) = &mut self.duty
            && duty.cut.asks_around(now, &view)
        {
            let others = view.present().map(|member| member.id);
            for to in others.filter(|id| *id != me) {
                self.send(to, Message::LookAround);
            }
            self.prober.look_around(now);
        }
        if let Some((_, since)) = &self.proposed
            && now.since(*since) < self.timing.report
        {
            return;
        }
        let Some(duty) = &mut self.duty else { return };
        let next = duty.next(
            now,
            &view,
            &self.ring,
            &self.timing,
            &self.resources,
            &mut *self.entropy,
        );
        if let Some(command) = next {
            self.proposed = Some((command.clone(), now));
            self.out.push_back(Output::Propose(command));
        }
    }

    fn renew(&mut self, now: Time, me: NodeId, view: &View) {
        let members = view.present().map(|member| member.id);
        let Some(duty) = &mut self.duty else { return };
        let others = members.filter(|id| *id != me);
        for renewal in duty.ledger.renew(now, others, &self.timing) {
            self.nonce = (self.nonce + 1).max(now.0);
            self.out.push_back(Output::Probe {
                to: renewal.to,
                nonce: self.nonce,
                grant: renewal.from,
            });
        }
        // Whoever can't renew has stopped everything. If its own master finds it dead
        // too, it goes, whatever other observers say.
        let limit = Timing::misses(self.ring.observers_each());
        let lost: Vec<NodeId> = view
            .present()
            .map(|member| member.id)
            .filter(|id| *id != me && duty.ledger.is_over(now, *id))
            .filter(|id| duty.ledger.missed(*id) >= limit)
            .collect();
        duty.over
            .extend(lost.into_iter().map(|id| (id, Why::LeaseLost)));
        duty.ledger.forget(now, |id| view.has(id));
    }

    /// A member says how far it is.
    pub(super) fn reported(&mut self, now: Time, from: NodeId, report: Report) {
        let epoch = self.view().epoch;
        let Some(duty) = &mut self.duty else { return };
        let known = duty.reports.get(&from);
        if known.is_some_and(|known| known.at > report.at || known.done > report.done) {
            return;
        }
        duty.cut.says(now, from, &report.dead);
        let behind = report.epoch < epoch;
        duty.reports.insert(from, report);
        if behind && Some(from) != self.id {
            let snapshot = Message::Snapshot(Box::new(View::clone(self.view())));
            self.answer(from, snapshot);
        }
    }

    /// A member asks for a lease.
    pub(super) fn asked(&mut self, now: Time, from: NodeId, clock: u64, epoch: Epoch) {
        let newest = self.view().epoch;
        if !self.may_give(now) {
            return;
        }
        if epoch < newest {
            // It may think that it owns what has been given away: it has to know first.
            let snapshot = Message::Snapshot(Box::new(View::clone(self.view())));
            self.answer(from, snapshot);
            return;
        }
        let Some(duty) = &mut self.duty else { return };
        let Some(clock) = duty.ledger.ask(now, from, clock, &self.timing) else {
            return;
        };
        let given = Message::LeaseGiven { clock };
        self.answer(from, given);
    }

    /// To a member, the way that its message came.
    fn answer(&mut self, to: NodeId, message: Message) {
        match (self.via, self.id) {
            (Some(helper), Some(from)) => {
                let message = Box::new(message);
                self.send(helper, Message::Relay { from, to, message });
            }
            _ => self.send(to, message),
        }
    }

    /// Somebody wants to join.
    pub(super) fn applies(&mut self, now: Time, from: Option<NodeId>, wish: Wish) {
        let view = self.view().clone();
        let Some(duty) = &mut self.duty else { return };
        let known = view
            .members
            .values()
            .find(|known| known.candidate.key == wish.candidate.key);
        if let Some(known) = known {
            let id = known.id;
            if known.candidate.life == wish.candidate.life {
                if known.state.is_member() {
                    // It has been taken in and doesn't know yet.
                    let snapshot = Message::Snapshot(Box::new(View::clone(&view)));
                    self.send(id, snapshot);
                    return;
                }
            } else if known.state.is_member() {
                duty.over.insert(id, Why::Restarted);
            }
            duty.ledger.released(now, id);
        }
        let key = wish.candidate.key;
        match view.can_join(&wish) {
            Ok(()) | Err(Refused::NotDown { .. }) => {
                let since = duty.joining.get(&key).map_or(now, |(since, _)| *since);
                duty.joining.insert(key, (since, wish));
            }
            Err(why) => match from {
                Some(helper) => self.send(helper, Message::JoinRefused { key, why }),
                None => self.out.push_back(Output::TurnAway { key, why }),
            },
        }
    }

    /// As the master, lets all members know of a new entry.
    pub(super) fn tell(&mut self, now: Time, before: &View, epoch: Epoch, command: &Command) {
        let Some(me) = self.duty.as_ref().map(|duty| duty.me) else {
            return;
        };
        if self
            .proposed
            .as_ref()
            .is_some_and(|(own, _)| own == command)
        {
            self.proposed = None;
        }
        self.lead_now = true;
        if let (Command::Master { node, term }, Some(duty)) = (command, &mut self.duty)
            && *node == me
            && *term == duty.term
        {
            duty.confirmed(now, before);
        }
        let view = self.view().clone();
        let others = view.present().map(|member| member.id);
        for to in others.filter(|id| *id != me && before.has(*id)) {
            let command = command.clone();
            self.send(to, Message::Update { epoch, command });
            if let Some(duty) = &mut self.duty {
                duty.shown.insert(to, now);
            }
        }
    }

    /// As the master, shows the view to those who don't seem to have it: newcomers, whom
    /// its kernel lets in now, and who has missed something.
    pub(super) fn show(&mut self, now: Time) {
        let (me, kernel) = (self.id, self.follower.kernel());
        let view = self.view().clone();
        let Some(duty) = &mut self.duty else { return };
        let behind: Vec<NodeId> = view
            .present()
            .filter(|member| Some(member.id) != me && member.since <= kernel)
            .map(|member| member.id)
            .filter(|id| duty.is_behind(now, *id, view.epoch, &self.timing))
            .collect();
        for to in behind {
            self.send(to, Message::Snapshot(Box::new(View::clone(&view))));
        }
    }
}
