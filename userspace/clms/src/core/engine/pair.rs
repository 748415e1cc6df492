//! A node of a pair without a tie-breaker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Output};
use crate::core::command::{Command, Refused};
use crate::core::member::{Key, Member, Why};
use crate::core::message::Message;
use crate::core::pair::{Waits, generation};
use crate::core::{Epoch, NodeId, Number, Time, View};

/// How long the voter's partner leaves it the first shot: it may be well, and only the
/// network between them be gone.
const FIRST_SHOT: Duration = Duration::from_secs(5);
/// How long after a fencing device has failed it is asked again.
const AGAIN: Duration = Duration::from_secs(10);

/// How it stands with the other.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Partners that have said in this life that they have not taken over.
    heard: BTreeSet<Key>,
    /// The operator says that those it waits for are off.
    alone: bool,
    /// When partners are to be asked again.
    ask: Time,
    /// When this node last had a lease, or began.
    served: Time,
    /// The voter that the fencing device was asked to switch off, and has not said yet
    /// whether it did.
    asked: Option<(u64, NodeId)>,
    /// When the fencing device is to be asked, at the earliest.
    shoot: Time,
    /// It takes over: the log is about to be founded anew.
    takes_over: bool,
}

impl Pair {
    pub(super) const fn new(now: Time) -> Self {
        Self {
            heard: BTreeSet::new(),
            alone: false,
            ask: now,
            served: now,
            asked: None,
            shoot: now,
            takes_over: false,
        }
    }

    /// This node has a lease.
    pub(super) fn served(&mut self, now: Time) {
        self.served = now;
        self.shoot = now;
    }

    /// A new life begins.
    pub(super) fn forget(&mut self) {
        self.heard.clear();
        self.alone = false;
    }

    /// The log is founded.
    pub(super) fn founded(&mut self) {
        self.takes_over = false;
    }
}

impl Engine {
    /// What keeps a pair without a tie-breaker from going on.
    #[must_use]
    pub fn waits(&self, now: Time) -> Option<Waits> {
        let view = self.view();
        let voter = view.only_voter()?;
        let own = self.former()?.id.number;
        if voter == own {
            let missing: Vec<Number> = self.missing().map(|one| one.id.number).collect();
            let waits = self.id.is_none() && self.leading && !self.pair.alone;
            return (waits && !missing.is_empty()).then_some(Waits::ForPartners(missing));
        }
        view.can_take_over(own, &self.candidate).ok()?;
        let served = self.id.is_some() && !self.own.is_fenced();
        let silent = !served && now.since(self.pair.served) > self.timing.lease * 2;
        silent.then_some(Waits::ForVoter(voter))
    }

    /// Goes on without the one that this node waits for, which is off: whoever calls this
    /// answers for that.
    ///
    /// # Errors
    /// It waits for nobody.
    pub fn take_over(&mut self, now: Time) -> Result<(), Refused> {
        match self.waits(now) {
            None => return Err(Refused::NothingToTakeOver),
            Some(Waits::ForPartners(_)) => self.pair.alone = true,
            Some(Waits::ForVoter(_)) => {
                let own = self.former().map(|own| own.id.number);
                let Some(number) = own.filter(|_| !self.pair.takes_over) else {
                    return Err(Refused::Nothing);
                };
                self.pair.takes_over = true;
                let command = Command::TakeOver {
                    view: Box::new(View::clone(self.view())),
                    number,
                    candidate: self.candidate.clone(),
                    probe_key: [(self.entropy)(), (self.entropy)()],
                };
                self.out.push_back(Output::Refound(command));
            }
        }
        Ok(())
    }

    /// The log could not be founded anew.
    pub fn not_founded(&mut self) {
        self.pair.takes_over = false;
    }

    /// What a fencing device made of [`Output::SwitchOff`]: whether the node is surely off.
    /// `request` is the one that it answers: one that was given up counts no more.
    pub fn switched_off(&mut self, now: Time, request: u64, id: NodeId, off: bool) {
        if self.pair.asked == Some((request, id)) {
            self.pair.asked = None;
            self.pair.shoot = now + AGAIN;
            if off && matches!(self.waits(now), Some(Waits::ForVoter(voter)) if voter == id.number)
            {
                // It waits for that very one.
                let _ = self.take_over(now);
            }
        }
        if off && let Some(duty) = &mut self.duty {
            duty.ledger.released(now, id);
            if self.follower.view().has(id) {
                duty.over.insert(id, Why::Fenced);
            }
        }
    }

    /// Asks whom it waits for, and the fencing device.
    pub(super) fn see_to_pair(&mut self, now: Time) {
        match self.waits(now) {
            Some(Waits::ForPartners(_)) if now >= self.pair.ask => {
                self.pair.ask = now + self.timing.renew;
                let question = Message::HaveYouTakenOver {
                    key: self.candidate.key,
                    life: self.candidate.life,
                    epoch: self.view().epoch,
                };
                let missing: Vec<NodeId> = self.missing().map(|one| one.id).collect();
                for to in missing {
                    let message = question.clone();
                    self.out.push_back(Output::Door { to, message });
                }
            }
            Some(Waits::ForVoter(voter)) if self.fencing && self.pair.asked.is_none() => {
                let quiet = now.since(self.pair.served) > self.timing.lease * 2 + FIRST_SHOT;
                let known = self.view().members.get(&voter).map(|known| known.id);
                if let Some(id) = known
                    && quiet
                    && now >= self.pair.shoot
                    && !self.pair.takes_over
                {
                    let request = (self.entropy)();
                    self.pair.asked = Some((request, id));
                    self.out.push_back(Output::SwitchOff { id, request });
                }
            }
            _ => {}
        }
    }

    /// The only voter has begun a new life and asks. What a fencing device says from now on
    /// that was asked before is about the life before, and counts no more.
    pub(super) fn asked_for_takeover(&mut self, key: Key, life: u64, epoch: Epoch) {
        let later = generation(self.view().epoch) > generation(epoch);
        if later || self.pair.takes_over {
            return;
        }
        self.pair.asked = None;
        let known = self.view().members.values();
        let asks = known.map(Arc::as_ref).find(|one| one.candidate.key == key);
        if let Some(to) = asks.map(|one| one.id) {
            let message = Message::IHaveNotTakenOver {
                key: self.candidate.key,
                life,
            };
            self.out.push_back(Output::Door { to, message });
        }
    }

    pub(super) fn has_not_taken_over(&mut self, key: Key, life: u64) {
        if life == self.candidate.life {
            self.pair.heard.insert(key);
        }
    }

    /// This node as the view knows it, in this life or a former.
    pub(super) fn former(&self) -> Option<&Member> {
        let mut known = self.view().members.values().map(Arc::as_ref);
        known.find(|known| known.candidate.key == self.candidate.key)
    }

    fn missing(&self) -> impl Iterator<Item = &Member> {
        let voter = self.view().only_voter().into_iter();
        let partners = voter.flat_map(|voter| self.view().partners(voter));
        partners.filter(|one| !self.pair.heard.contains(&one.candidate.key))
    }
}
