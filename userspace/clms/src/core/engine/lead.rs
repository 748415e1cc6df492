//! A node that leads.

use std::collections::BTreeSet;
use std::time::Duration;

use super::alone::Alone;
use super::{Engine, Output};
use crate::core::command::{Command, Refused, Wish};
use crate::core::cut::low;
use crate::core::duty::Duty;
use crate::core::member::Why;
use crate::core::message::{Message, Report};
use crate::core::pair::generation;
use crate::core::prober::Seen;
use crate::core::voters::{Voters, Wanted};
use crate::core::{Epoch, NodeId, Time, Timing, View};

/// At which renewal in a row that brings nothing back a node's observers are asked to look:
/// renewals go out oftener than an observer's probes.
const DOUBTFUL: u32 = 2;

/// How often a master looks over its desk.
const LOOK: Duration = Duration::from_millis(10);

/// This node leads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// In which term.
    pub term: u64,
    /// When it asked the voters that last confirmed it.
    pub acked: Time,
    /// Which generation of the log it leads.
    pub generation: u64,
    /// Nobody else votes, by all that its log has, committed or not.
    pub alone: bool,
}

impl Engine {
    /// The log's word on who leads: this node, or somebody else, or nobody.
    pub fn leads(&mut self, now: Time, leadership: Option<Lead>) {
        // A leader whom the voters have not confirmed for so long is none, though nobody can
        // tell it so; nor is one of a log that has been founded anew elsewhere.
        let this = generation(self.view().epoch);
        let lasting = leadership
            .filter(|lead| lead.generation == this)
            .filter(|lead| now.since(lead.acked) < self.timing.lease);
        self.leading = lasting.is_some();
        let (Some(lead), Some(id)) = (lasting, self.id) else {
            self.duty = None;
            self.alone = Alone::default();
            if !self.leading {
                self.proposed = None;
            }
            return;
        };
        let Lead { term, acked, .. } = lead;
        self.acked = acked;
        self.alone.leads(&lead);
        if self.duty.as_ref().is_none_or(|duty| duty.term != term) {
            self.duty = Some(Duty::new(now, id, term, &self.timing));
            self.proposed = None;
            // If the last master is gone, now is the time to find out; and whoever went with it
            // has had nobody to renew its lease and notice.
            let last = self.view().master.map(|last| last.node);
            if last.is_some_and(|last| last != id) {
                self.look_around(now, id);
            }
            self.report(now);
        }
    }

    /// As the master: who should vote, if that is not who votes now. What the engine puts out
    /// then has to be done before anybody is made a voter.
    pub fn wanted_voters(&mut self, now: Time, voters: &mut Voters) -> Option<Wanted> {
        let view = self.view();
        let ready = self.duty.as_ref()?.ready(view);
        let wanted = voters.wanted(now, view, &ready, &self.timing)?;
        self.no_more_alone(now);
        Some(wanted)
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
        let handed = self.duty.as_ref().is_some_and(|duty| duty.handed);
        !handed && self.is_confirmed() && now < self.acked + self.timing.surely(self.timing.mastery)
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
        if self.hand_over(now) {
            return;
        }
        if self.may_give(now) {
            self.renew(now, me, &view);
            self.show(now);
            if self.fencing {
                self.shoot(&view);
            }
        }
        if let Some(duty) = &mut self.duty
            && duty.cut.asks_around(now, &view)
        {
            self.look_around(now, me);
        }
        if self.is_waiting(now) {
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
            self.propose(now, command);
        }
    }

    /// Has everybody look at all that it observes.
    fn look_around(&mut self, now: Time, me: NodeId) {
        let view = self.view().clone();
        let others = view.present().map(|member| member.id);
        for to in others.filter(|id| *id != me) {
            self.send(to, Message::LookAround);
        }
        self.prober.look_around(now);
    }

    fn renew(&mut self, now: Time, me: NodeId, view: &View) {
        let members = view.present().map(|member| member.id);
        let Some(duty) = &mut self.duty else { return };
        let others = members.filter(|id| *id != me);
        let mut doubtful = Vec::new();
        for renewal in duty.ledger.renew(now, others, &self.timing) {
            self.nonce = (self.nonce + 1).max(now.0);
            self.out.push_back(Output::Probe {
                to: renewal.to,
                nonce: self.nonce,
                grant: renewal.from,
                supervisor: false,
                old_key: renewal.old_key,
            });
            if renewal.again == DOUBTFUL {
                doubtful.push(Seen::Suspect(renewal.to));
            }
        }
        // Whoever can't renew has stopped everything. It goes if some of its observers doubt it
        // too: else it may be this node that others don't hear. Nobody may be there to doubt one
        // that has never been heard since the master took up its duty.
        let observers = self.ring.observers_each();
        let limit = Timing::misses(observers);
        let long = now.since(duty.since) > self.timing.lease * 3;
        let gone = |duty: &Duty, id: NodeId| {
            duty.cut.doubting(id, me) >= low(observers)
                || long && !duty.reports.contains_key(&id) && !duty.ledger.was_told(id)
        };
        let lost: BTreeSet<NodeId> = view
            .present()
            .map(|member| member.id)
            .filter(|id| *id != me && duty.ledger.is_over(now, *id))
            .filter(|id| duty.ledger.missed(*id) >= limit && gone(duty, *id))
            .collect();
        duty.lost = lost;
        duty.ledger.forget(now, |id| view.has(id));
        self.saw(now, &doubtful);
    }

    /// Has the fencing device switch off who has just been put out, so that nobody has to
    /// wait for the leases to end.
    fn shoot(&mut self, view: &View) {
        let Some(duty) = &mut self.duty else { return };
        duty.shot
            .retain(|id| view.leaving().any(|gone| gone.id == *id));
        let gone = view.leaving();
        let unreachable =
            gone.filter(|gone| matches!(gone.why, Some(Why::Unreachable | Why::LeaseLost)));
        for id in unreachable.map(|gone| gone.id) {
            if duty.shot.insert(id) {
                let request = (self.entropy)();
                self.out.push_back(Output::SwitchOff { id, request });
            }
        }
    }

    /// A member says how far it is.
    pub(super) fn reported(&mut self, now: Time, from: NodeId, report: Report) {
        let view = self.view().clone();
        let epoch = view.epoch;
        let Some(duty) = &mut self.duty else { return };
        let known = duty.reports.get(&from);
        if known.is_some_and(|known| known.at > report.at || known.done > report.done) {
            return;
        }
        duty.cut.says(now, from, &report.dead);
        let known = duty.stalled(&view);
        let behind = report.epoch < epoch;
        duty.reports.insert(from, report);
        let stalled = duty.stalled(&view);
        let mut changed = Vec::new();
        changed.extend(stalled.difference(&known).map(|id| (*id, true)));
        changed.extend(known.difference(&stalled).map(|id| (*id, false)));
        for (id, stalled) in changed {
            self.out.push_back(Output::Stalled { id, stalled });
        }
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
                    let message = Message::Snapshot(Box::new(View::clone(&view)));
                    self.out.push_back(Output::Door { to: id, message });
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
            duty.confirmed(now, before, self.mastered.1, &self.timing);
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
        if let Command::Remove { nodes, .. } = command {
            self.let_know(me, nodes, &view);
        }
    }

    /// Lets those know who wanted to leave that they have left. Nobody else would, but the log,
    /// where they voted: from now on no member hears them, or is heard by them.
    fn let_know(&mut self, me: NodeId, gone: &[(NodeId, Why)], view: &View) {
        let left = gone.iter().filter(|(_, why)| *why == Why::Left);
        for (to, _) in left.filter(|(id, _)| *id != me) {
            let message = Message::Snapshot(Box::new(view.clone()));
            self.out.push_back(Output::Door { to: *to, message });
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
            let message = Message::Snapshot(Box::new(View::clone(&view)));
            // The kernel of one who has not reported may not know this node yet.
            let known = self.duty.as_ref();
            if known.is_some_and(|duty| duty.reports.contains_key(&to)) {
                self.send(to, message);
            } else {
                self.out.push_back(Output::Door { to, message });
            }
        }
    }
}
