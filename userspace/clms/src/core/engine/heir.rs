//! A master that leaves has another voter lead before it goes: nobody has to miss it first.
//!
//! What others know of leases holds as if they had elected their next master after a silence.
//! From the moment of handing over it gives none, so none was given after the election; and its
//! own then ends as soon as that of a master which the voters last confirmed
//! [`Timing::mastery`](crate::core::Timing::mastery) ago.

use super::{Engine, Output};
use crate::core::{NodeId, State, Time, View};

/// The voter that leads next, if there is one: the lowest that is up.
pub(super) fn heir(view: &View, me: NodeId) -> Option<NodeId> {
    let mut members = view.present();
    let next = members.find(|member| {
        member.id != me && member.state == State::Up && view.voters.contains(&member.id.number)
    });
    next.map(|member| member.id)
}

impl Engine {
    /// As the master, has another lead if this node is all but gone; whether it waits for that.
    /// If the heir doesn't take over, the voters elect somebody: nobody leads meanwhile.
    pub(super) fn hand_over(&mut self, now: Time) -> bool {
        let view = self.view().clone();
        let Some(duty) = &mut self.duty else {
            return false;
        };
        if duty.handed {
            return true;
        }
        if !duty.is_confirmed(&view) || !duty.is_going(&view) {
            return false;
        }
        let Some(heir) = heir(&view, duty.me) else {
            return false;
        };
        duty.handed = true;
        let timing = &self.timing;
        let rest = timing.surely(timing.own) - timing.on_any_clock(timing.mastery);
        let until = now + rest;
        if self.own.until() > until {
            self.own.lower(until);
            self.out.push_back(Output::Lower(until));
        }
        self.out.push_back(Output::HandOver(heir));
        true
    }
}
