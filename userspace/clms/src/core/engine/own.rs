//! A node's own lease.

use super::{Engine, Output};
use crate::core::message::Message;
use crate::core::{NodeId, Time, Timing};

/// How a node stands with its lease.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// It has stopped everything. So it begins: a lease comes first.
    fenced: bool,
    /// When it was fenced.
    since: Time,
    /// When to ask the master for a lease, if probes have brought none until then.
    ask: Time,
    /// How often it has asked in vain.
    asked: u32,
    /// Until when the lease lasts.
    until: Time,
}

impl Own {
    pub(super) const fn new(now: Time) -> Self {
        Self {
            fenced: true,
            since: now,
            ask: now,
            asked: 0,
            until: Time(0),
        }
    }

    /// Of a node whose kernel went on while `ssid` was restarted: if it holds a lease,
    /// nothing was stopped; the first look tells.
    pub(super) const fn resumed(now: Time) -> Self {
        Self {
            fenced: false,
            ..Self::new(now)
        }
    }

    pub(super) const fn until(&self) -> Time {
        self.until
    }

    /// It ends then.
    pub(super) const fn lower(&mut self, until: Time) {
        self.until = until;
    }

    pub(super) const fn is_fenced(&self) -> bool {
        self.fenced
    }

    /// Stops everything; whether it hadn't before.
    pub(super) fn fence(&mut self) -> bool {
        !std::mem::replace(&mut self.fenced, true)
    }

    pub(super) fn due(&self) -> Time {
        if self.fenced {
            self.ask
        } else {
            self.until.min(self.ask)
        }
    }

    /// Below this much of its lease a node asks by itself. A renewal runs from what the node
    /// told in answer to the one before, so that two intervals have gone, half of the lease,
    /// when the next comes; and that may come late by one repetition.
    fn low(timing: &Timing) -> std::time::Duration {
        timing.lease * 2 / 5
    }
}

/// By way of how many others a node tells the master something that it may not hear.
const HELPERS: usize = 3;

impl Engine {
    /// Holds on to the lease, or stops everything when it is over.
    pub(super) fn hold(&mut self, now: Time, kernel: Time) {
        let Some(id) = self.id else { return };
        if !self.own.fenced {
            self.pair.served(now);
        }
        if self.duty.is_some() {
            self.hold_as_master(now, kernel);
            return;
        }
        if !self.own.fenced {
            self.own.until = kernel.max(self.own.until);
            if now >= self.own.until {
                self.own.fenced = true;
                self.own.since = now;
                self.own.ask = now;
                self.out.push_back(Output::Fence);
            } else {
                let ask = self.own.until - Own::low(&self.timing);
                if self.own.asked == 0 || ask > now {
                    self.own.asked = 0;
                    self.own.ask = ask;
                }
            }
        }
        if now < self.own.ask {
            return;
        }
        let again = if self.own.fenced {
            self.timing.burst
        } else {
            self.timing.renew / 2
        };
        self.own.ask = now + again;
        self.own.asked += 1;
        let ask = Message::LeaseAsk {
            clock: now.0,
            epoch: self.view().epoch,
        };
        self.tell_master(ask);
        if self.own.fenced && now.since(self.own.since) > self.timing.lease {
            self.out.push_back(Output::Contact(Message::AmI(id)));
        }
    }

    /// The master's own lease is that the voters have confirmed it lately. If it is replaced
    /// before that ends, its successor waits for the end, or renews it.
    fn hold_as_master(&mut self, now: Time, kernel: Time) {
        if !self.own.fenced {
            self.own.until = kernel.max(self.own.until);
        }
        if self.may_give(now) {
            let until = if self.is_alone() {
                Time::NEVER
            } else {
                self.confirmed_until()
            };
            if until > self.own.until {
                self.own.until = until;
                self.out.push_back(Output::Lease(until));
            }
            if std::mem::take(&mut self.own.fenced) {
                self.out.push_back(Output::Unfence);
            }
        } else if now >= self.own.until && self.own.fence() {
            self.own.since = now;
            self.out.push_back(Output::Fence);
        }
        self.own.ask = now + self.timing.renew;
        self.own.asked = 0;
    }

    /// To the master; if it doesn't seem to hear, by way of a few others too, each time of
    /// different ones.
    pub(super) fn tell_master(&mut self, message: Message) {
        let (Some(id), Some(master)) = (self.id, self.view().master) else {
            return;
        };
        let to = master.node;
        let attempt = self.own.asked as usize;
        if attempt > 1 {
            let dead: Vec<NodeId> = self.prober.dead().collect();
            let helpers: Vec<NodeId> = self
                .view()
                .present()
                .map(|member| member.id)
                .filter(|helper| *helper != id && *helper != to && !dead.contains(helper))
                .collect();
            let first = attempt * HELPERS;
            for place in first..first + HELPERS.min(helpers.len()) {
                let relay = Message::Relay {
                    from: id,
                    to,
                    message: Box::new(message.clone()),
                };
                self.send(helpers[place % helpers.len()], relay);
            }
        }
        self.send(to, message);
    }

    /// The master has given a lease, by message.
    pub(super) fn given(&mut self, now: Time, clock: u64) {
        if self.id.is_none() || self.duty.is_some() {
            return;
        }
        let until = Time(clock) + self.timing.lease;
        if until <= now || Time(clock) > now {
            return;
        }
        self.own.asked = 0;
        self.own.until = self.own.until.max(until);
        self.out.push_back(Output::Lease(until));
        if std::mem::take(&mut self.own.fenced) {
            self.out.push_back(Output::Unfence);
        }
    }
}
