//! A new view comes, and may take this node in, or put it out.

use super::own::Own;
use super::{Engine, Output};
use crate::core::command::{Command, Wish};
use crate::core::follower::Installed;
use crate::core::member::Why;
use crate::core::message::Message;
use crate::core::prober::Prober;
use crate::core::ring::Ring;
use crate::core::{Epoch, NodeId, Time, Transition};

/// At how many doors a node knocks at once.
const MOST_DOORS: usize = 3;

impl Engine {
    pub(super) fn update(&mut self, now: Time, epoch: Epoch, command: &Command) {
        let before = self.view().clone();
        let Some(installed) = self.follower.update(epoch, command) else {
            return;
        };
        self.tell(now, &before, epoch, command);
        self.installed(now, installed);
    }

    /// The view is a new one.
    pub(super) fn installed(&mut self, now: Time, installed: Installed) {
        let view = installed.view.clone();
        let mastered = self.mastered.0 != view.master;
        if mastered {
            self.mastered = (view.master, now);
        }
        // Who observes whom depends on who takes part, and on nothing else; how often, on who
        // is the master.
        let moves = |t: &Transition| t.from.is_member() != t.to.is_member();
        let moved = installed.transitions.iter().any(moves);
        let newcomer = self.id.is_none();
        if view.voters_since == view.epoch {
            self.pair.founded();
        }
        self.out.push_back(Output::Install(installed));
        match self.id {
            Some(id) if !view.has(id) => {
                self.out_of_it(id);
                return;
            }
            Some(_) => {}
            None => {
                // Taken in, or taken in again.
                let own = view.present().find(|member| {
                    let who = &member.candidate;
                    who.key == self.candidate.key && who.life == self.candidate.life
                });
                let Some(member) = own else { return };
                self.id = Some(member.id);
                self.number = Some(member.id.number);
                self.own = Own::new(now);
                self.knocks = 0;
                self.proposed = None;
            }
        }
        if newcomer || moved || mastered {
            self.observe(now);
        }
        self.report(now);
    }

    pub(super) fn observe(&mut self, now: Time) {
        self.ring = Ring::new(self.follower.view());
        if let Some(id) = self.id {
            let subjects: Vec<NodeId> = self.ring.subjects(id).collect();
            let observers = self.ring.observers_each();
            let master = self.view().master.map(|master| master.node);
            self.prober
                .observe(now, subjects, observers, master, &self.timing);
        }
    }

    /// This life is over: others go on without it.
    pub(super) fn out_of_it(&mut self, id: NodeId) {
        let known = self.view().members.get(&id.number);
        let why = known
            .filter(|known| known.id == id)
            .and_then(|known| known.why);
        self.left = self.leaving == Some(id) || why == Some(Why::Left);
        self.id = None;
        self.candidate.life = (self.entropy)();
        self.pair.forget();
        self.duty = None;
        self.proposed = None;
        self.prober = Prober::new(&self.timing);
        if self.own.fence() {
            self.out.push_back(Output::Fence);
        }
        if self.left {
            self.join_due = Time(u64::MAX);
        } else {
            self.out.push_back(Output::Rejoin);
            self.join_due = Time(0);
        }
    }

    /// Asks to be taken in, again and again; if nobody seems to be there, several at once.
    pub(super) fn knock(&mut self, now: Time) {
        if now < self.join_due {
            return;
        }
        self.join_due = now + self.timing.renew;
        self.knocks += 1;
        for _ in 0..self.knocks.min(MOST_DOORS) {
            self.out.push_back(Output::Contact(Message::Join(Wish {
                number: self.number,
                candidate: self.candidate.clone(),
            })));
        }
    }
}
