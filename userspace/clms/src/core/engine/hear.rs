//! What a node makes of messages.

use super::{Engine, Output};
use crate::core::message::{Message, Report};
use crate::core::{NodeId, Time};

impl Engine {
    /// A message came. `from`: which member's, as its connection proves; none: from
    /// somebody who is no member.
    pub fn message(&mut self, now: Time, from: Option<NodeId>, message: Message) {
        match message {
            Message::Join(_) | Message::AmI(_) => return self.outsider(now, from, message),
            // From the master, whom this node may not know as a member yet: it is one that
            // joins, or all have been off and the master was the first to come back.
            Message::Snapshot(view) => {
                let own = self.view();
                if own.epoch != 0 && (own.identity, &own.cluster) != (view.identity, &view.cluster)
                {
                    return;
                }
                let known = view.epoch == own.epoch;
                if let Some(installed) = self.follower.snapshot(*view) {
                    self.installed(now, installed);
                } else if known {
                    // The master doesn't know that: the report was lost.
                    self.report(now);
                }
                return;
            }
            Message::JoinRefused { key, why } => {
                if key == self.candidate.key {
                    self.out.push_back(Output::Refused(why));
                } else if from.is_some() {
                    self.out.push_back(Output::TurnAway { key, why });
                }
                return;
            }
            Message::Gone(id) => {
                if self.id == Some(id) {
                    self.out_of_it(id);
                }
                return;
            }
            Message::HaveYouTakenOver { key, life, epoch } => {
                return self.asked_for_takeover(key, life, epoch);
            }
            Message::IHaveNotTakenOver { key, life } => {
                return self.has_not_taken_over(key, life);
            }
            _ => {}
        }
        let Some(from) = from.filter(|id| self.view().has(*id)) else {
            return;
        };
        match message {
            Message::Report(report) => self.reported(now, from, report),
            Message::LookAround => self.prober.look_around(now),
            Message::Update { epoch, command } => {
                if epoch > self.view().epoch + 1 {
                    // Something is missing: the master sees that by the report.
                    self.report(now);
                }
                self.update(now, epoch, &command);
            }
            Message::LeaseAsk { clock, epoch } => self.asked(now, from, clock, epoch),
            Message::LeaseGiven { clock } => self.given(now, clock),
            Message::Leave => {
                if let Some(duty) = &mut self.duty {
                    duty.leaving.insert(from);
                }
            }
            Message::Relay {
                from: origin,
                to,
                message,
            } => {
                if Some(to) == self.id {
                    let relayed = matches!(
                        *message,
                        Message::LeaseAsk { .. }
                            | Message::LeaseGiven { .. }
                            | Message::Report(_)
                            | Message::Snapshot(_)
                    );
                    if relayed {
                        self.via = (from != origin).then_some(from);
                        self.message(now, Some(origin), *message);
                        self.via = None;
                    }
                } else if self.view().has(to) && origin == from {
                    // One hop only: what comes from its author.
                    let relay = Message::Relay {
                        from: origin,
                        to,
                        message,
                    };
                    self.send(to, relay);
                }
            }
            Message::Join(_)
            | Message::AmI(_)
            | Message::Snapshot(_)
            | Message::JoinRefused { .. }
            | Message::HaveYouTakenOver { .. }
            | Message::IHaveNotTakenOver { .. }
            | Message::Gone(_) => {}
        }
    }

    /// Somebody who isn't a member, or doesn't know whether it is.
    fn outsider(&mut self, now: Time, from: Option<NodeId>, message: Message) {
        match message {
            Message::AmI(id) if self.id.is_some() && !self.is_fenced() && !self.view().has(id) => {
                let message = Message::Gone(id);
                self.out.push_back(Output::Door { to: id, message });
            }
            Message::Join(wish) => {
                let Some(master) = self.view().master.map(|master| master.node) else {
                    return;
                };
                if self.duty.is_some() {
                    self.applies(now, from, wish);
                } else if self.id.is_some() && self.id != Some(master) {
                    self.send(master, Message::Join(wish));
                }
            }
            _ => {}
        }
    }

    /// Tells the master how far this node is, and whom it finds dead.
    pub(super) fn report(&mut self, now: Time) {
        let Some(id) = self.id else { return };
        let waiting = self.follower.waiting();
        let dead: Vec<NodeId> = self.prober.dead().collect();
        let quiet = waiting.is_empty() && dead.is_empty();
        self.report_due = now
            + if quiet {
                self.timing.quiet
            } else {
                self.timing.report
            };
        let report = Report {
            at: now,
            epoch: self.view().epoch,
            kernel: self.follower.kernel(),
            done: self.follower.done(),
            waiting,
            dead,
            stalled: self.prober.stalled().collect(),
        };
        if self.duty.is_some() {
            self.reported(now, id, report);
        } else {
            self.tell_master(Message::Report(report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::{engine, id, view_of};
    use crate::core::{Master, View};

    #[test]
    fn who_is_shown_what_it_has_says_so() {
        let now = Time(1_000_000_000);
        let master = Some(Master {
            node: id(1),
            term: 1,
        });
        let view = View {
            master,
            ..view_of(3)
        };
        for behind in [true, false] {
            let older = view_of(2);
            let of = if behind { older } else { View::clone(&view) };
            let mut engine = engine(now, id(2), of);
            while engine.poll().is_some() {}
            let shown = Message::Snapshot(Box::new(view.clone()));
            engine.message(now, Some(id(1)), shown);
            let did: Vec<Output> = std::iter::from_fn(|| engine.poll()).collect();
            let said = did.iter().find_map(|output| match output {
                Output::Send {
                    message: Message::Report(report),
                    ..
                } => Some(report.epoch),
                _ => None,
            });
            assert_eq!(said, Some(view.epoch), "{did:?}");
        }
    }
}
