//! The master that votes alone. Nobody can be elected in its place: its own lease has no end,
//! so that what it owns goes on for as long as its `ssid` may be away.
//!
//! Before it asks for other voters it lowers its lease to what any master has
//! ([`Timing::own`](crate::core::Timing::own)). Whoever is elected after that has been
//! confirmed by voters that came later, so that what it knows of its predecessor's lease holds.

use super::lead::Lead;
use super::{Engine, Output};
use crate::core::Time;

/// What a leader knows of who else votes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alone {
    /// By all that its log has, nobody.
    by_log: bool,
    /// It has asked for others, and may not have seen yet what came of it.
    asked: bool,
}

impl Alone {
    /// The log's word.
    pub(super) const fn leads(&mut self, lead: &Lead) {
        self.by_log = lead.alone;
        // The change has begun: from here on the log itself tells.
        if !lead.alone {
            self.asked = false;
        }
    }
}

impl Engine {
    /// Whether nobody but this node can become the master, by what the log has begun, by what
    /// it has committed, and by what this node may have asked of it since.
    pub(super) fn is_alone(&self) -> bool {
        let view = self.view();
        let number = self.id.map(|id| id.number);
        let votes = view.voters.first().copied();
        let by_view = view.votes() == 1 && votes.is_some() && votes == number;
        self.alone.by_log && by_view && !self.alone.asked
    }

    /// Others are about to be asked to vote.
    pub(super) fn no_more_alone(&mut self, now: Time) {
        self.alone.asked = true;
        let until = self.confirmed_until().max(now);
        if self.own.until() > until {
            self.own.lower(until);
            self.out.push_back(Output::Lower(until));
        }
    }

    /// Until when the lease of a master lasts that the voters have confirmed when they did.
    pub(super) fn confirmed_until(&self) -> Time {
        self.acked + self.timing.surely(self.timing.own)
    }
}
