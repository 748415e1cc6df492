//! Leases: what keeps two nodes from owning one thing.
//!
//! Whoever acts on its own for the cluster (directs an address, runs a service that may
//! run once only) may do so while it holds a lease, and stops when the lease ends. The
//! master gives leases and writes down until when, by its own clock, each can last; what a
//! node owned is given to another only after that.
//!
//! A lease runs from a reading of the *holder's* clock, which it sent in a reflection and
//! the master sends back. The holder read its clock before the master received it, so by
//! the master's clock the lease ends no later than the moment of receipt plus the lease's
//! length, whatever the network did in between; only the clocks' rates matter, not what
//! they show. Nothing that is delayed, repeated or takes another way can stretch it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{NodeId, Time, Timing};

/// The master's book of leases.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Until when lives that are not in the book may hold leases that an earlier master
    /// gave: nobody's end later.
    before: Time,
    renew: Duration,
    leases: BTreeMap<NodeId, Lease>,
}

#[derive(Clone, Debug)]
struct Lease {
    /// The holder's clock as it last told it, and when that came.
    told: Option<(u64, Time)>,
    /// The lease can last no longer than this.
    until: Time,
    /// When it is to be renewed.
    due: Time,
    /// When a renewal was last sent.
    sent: Time,
    /// Renewals sent since the holder last told its clock.
    missed: u32,
    /// It has been heard.
    heard: bool,
    /// Renewals go under the key before: see the prober.
    old_key: bool,
}

/// A renewal for the master to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Whose lease.
    pub to: NodeId,
    /// From which reading of its clock the lease runs; none: it has told none yet, and the
    /// probe only asks.
    pub from: Option<u64>,
    /// How many times in a row, with this one, nothing has come back yet.
    pub again: u32,
    /// Under the key before: the holder's kernel may know no other.
    pub old_key: bool,
}

impl Ledger {
    /// The book of a master that was elected at `now`: those before it could give leases
    /// until then, to anybody.
    #[must_use]
    pub fn new(now: Time, timing: &Timing) -> Self {
        Self {
            before: now + timing.on_any_clock(timing.lease),
            renew: timing.renew,
            leases: BTreeMap::new(),
        }
    }

    /// Until when a life of a node may hold a lease, by the master's clock.
    #[must_use]
    pub fn until(&self, id: NodeId) -> Time {
        self.leases
            .get(&id)
            .map_or(self.before, |lease| lease.until)
    }

    /// Whether a life of a node can hold no lease any more.
    #[must_use]
    pub fn is_over(&self, now: Time, id: NodeId) -> bool {
        now > self.until(id)
    }

    /// A holder told its clock, in a reflection; whether its kernel holds a lease. One that
    /// it has lost begins again with a message only, so that the holder is up to date.
    pub fn told(&mut self, now: Time, id: NodeId, clock: u64, holds: bool) {
        let renew = self.renew;
        let lease = self.lease(now, id);
        lease.heard = true;
        if !holds {
            lease.told = None;
            lease.missed = 0;
            return;
        }
        match lease.told {
            Some((known, _)) if known >= clock => return,
            Some(_) => lease.due = lease.sent + renew,
            // It waits for its first lease.
            None => lease.due = now,
        }
        lease.told = Some((clock, now));
        lease.missed = 0;
    }

    /// Renewals that are due for `members`, written down as given.
    pub fn renew(
        &mut self,
        now: Time,
        members: impl Iterator<Item = NodeId>,
        timing: &Timing,
    ) -> Vec<Renewal> {
        let mut renewals = Vec::new();
        for id in members {
            let lease = self.lease(now, id);
            if lease.due > now {
                continue;
            }
            lease.sent = now;
            lease.due = now + timing.renew / 4;
            if lease.missed > 0 {
                lease.old_key = !lease.old_key;
            }
            lease.missed += 1;
            let from = lease.give(timing);
            let again = lease.missed;
            renewals.push(Renewal {
                to: id,
                from,
                again,
                old_key: lease.old_key,
            });
        }
        renewals
    }

    /// Gives a lease to a holder that asks, telling its clock.
    pub fn ask(&mut self, now: Time, id: NodeId, clock: u64, timing: &Timing) -> Option<u64> {
        self.told(now, id, clock, true);
        self.leases.get_mut(&id)?.give(timing)
    }

    fn lease(&mut self, now: Time, id: NodeId) -> &mut Lease {
        let before = self.before;
        self.leases.entry(id).or_insert_with(|| Lease {
            until: before,
            ..Lease::none(now)
        })
    }

    /// Whether a holder has ever told its clock, or that it holds nothing.
    #[must_use]
    pub fn was_told(&self, id: NodeId) -> bool {
        self.leases.get(&id).is_some_and(|lease| lease.heard)
    }

    /// How many renewals in a row have brought nothing back.
    #[must_use]
    pub fn missed(&self, id: NodeId) -> u32 {
        self.leases.get(&id).map_or(0, |lease| lease.missed)
    }

    /// By what else is known, a life of a node that is not in the book yet holds no lease
    /// after `until`.
    pub fn ends_by(&mut self, now: Time, id: NodeId, until: Time) {
        let lease = self.lease(now, id);
        lease.until = lease.until.min(until);
    }

    /// A holder says itself that its life is over and that it has stopped everything.
    pub fn released(&mut self, now: Time, id: NodeId) {
        self.leases.insert(id, Lease::none(now));
    }

    /// Forgets lives that are neither members nor could hold a lease.
    pub fn forget(&mut self, now: Time, is_member: impl Fn(NodeId) -> bool) {
        if now > self.before {
            self.leases
                .retain(|id, lease| is_member(*id) || lease.until >= now);
            // Who is not in the book holds nothing.
            self.before = Time(0);
        }
    }
}

impl Lease {
    const fn none(now: Time) -> Self {
        Self {
            told: None,
            until: Time(0),
            due: now,
            sent: now,
            missed: 0,
            heard: false,
            old_key: false,
        }
    }

    fn give(&mut self, timing: &Timing) -> Option<u64> {
        let (clock, at) = self.told?;
        self.until = self.until.max(at + timing.on_any_clock(timing.lease));
        Some(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::id;

    #[test]
    fn the_book_never_ends_before_the_lease() {
        let timing = Timing::default();
        let (mut now, holder) = (Time(5_000_000_000), id(2));
        let mut ledger = Ledger::new(now, &timing);
        // The holder's clock shows something else entirely, and runs fast or slow.
        for rate in [999_000, 1_000_000, 1_001_000_u64] {
            let clock = |now: Time| 77_000_000_000 + now.0 / 1_000_000 * rate;
            for _ in 0..50 {
                let read = now;
                now = now + Duration::from_millis(3);
                ledger.told(now, holder, clock(read), true);
                now = now + timing.renew;
                let renewals = ledger.renew(now, [holder].into_iter(), &timing);
                let from = renewals[0].from.expect("it has told its clock");
                let ends = from + u64::try_from(timing.lease.as_nanos()).unwrap();
                assert!(ends <= clock(ledger.until(holder)), "{rate}");
            }
        }
    }

    #[test]
    fn a_new_master_waits_for_leases_that_it_did_not_give() {
        let timing = Timing::default();
        let now = Time(1_000_000_000);
        let mut ledger = Ledger::new(now, &timing);
        ledger.released(now, id(1));
        let later = now + Duration::from_millis(1);
        assert!(ledger.is_over(later, id(1)));
        assert!(!ledger.is_over(later, id(2)));
        let after = now + timing.on_any_clock(timing.lease) + Duration::from_millis(1);
        assert!(ledger.is_over(after, id(2)));
        ledger.forget(after, |_| false);
        assert!(ledger.is_over(after, id(2)), "not in the book");
    }

    #[test]
    fn an_old_clock_reading_stretches_nothing() {
        let timing = Timing::default();
        let now = Time(1_000_000_000);
        let mut ledger = Ledger::new(now, &timing);
        ledger.released(now, id(2));
        assert_eq!(ledger.ask(now, id(2), 500, &timing), Some(500));
        let until = ledger.until(id(2));
        let later = now + Duration::from_secs(1);
        assert_eq!(ledger.ask(later, id(2), 500, &timing), Some(500));
        assert_eq!(ledger.until(id(2)), until);
    }
}
