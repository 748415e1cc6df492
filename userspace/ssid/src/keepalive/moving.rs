//! What is on its way from one node to another: the master sees to it that something is ready
//! where it goes before it ends where it was, and that nobody new is sent to what ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ssi_keepalive::Node;
use ssi_keepalive::balance::{self, Known, Sight, Wanted};
use ssi_keepalive::config::VirtualService;
use ssi_keepalive::core::Condition;
use ssi_keepalive::placement::{Life, Member, Move, Outlook, Outlooks, Owner, Presence, Slot};

use super::desk::Desk;
use super::resting::Resting;
use super::{install, life};

/// How long something is kept waiting for its new connections to go elsewhere, at most.
const OUT: Duration = Duration::from_secs(3);
/// What a start may take besides the time that it has to become ready.
const START: Duration = Duration::from_secs(15);

/// What the master remembers. Another master begins anew: it waits once more, or a moment less.
#[derive(Default)]
pub(super) struct Moving {
    /// What was taken from nodes that are being drained: from which, and when.
    moved: BTreeMap<Slot, (Life, Instant)>,
    /// Since when something is to be ready on a node.
    given: BTreeMap<(Slot, Life), Instant>,
    /// What is to be taken from a node, since when, and whether new connections go elsewhere.
    leaving: BTreeMap<(Slot, Life), (Instant, bool)>,
    /// What is about to be stopped or restarted.
    pub(super) resting: Resting,
    /// Whether anything depends on what becomes ready.
    waits: bool,
}

impl Moving {
    pub(super) const fn waits_for_any(&self) -> bool {
        self.waits
    }
}

/// What is planned by.
struct Seen {
    of: BTreeMap<(Slot, Life), Outlook>,
    moved: BTreeMap<Slot, Life>,
}

impl Outlooks for Seen {
    fn of(&self, slot: &Slot, node: Life) -> Outlook {
        let key = (slot.clone(), node);
        self.of.get(&key).copied().unwrap_or(Outlook::Waits)
    }

    fn moved(&self) -> &BTreeMap<Slot, Life> {
        &self.moved
    }
}

/// What virtual services are to be.
#[derive(Clone, Debug)]
pub(crate) struct Balancing {
    /// Those that processes name.
    pub(crate) wanted: BTreeMap<VirtualService, Wanted>,
    /// The addresses of all nodes.
    pub(crate) addresses: BTreeMap<Node, Vec<IpAddr>>,
    /// Those of nodes that are there.
    pub(crate) there: BTreeSet<IpAddr>,
    /// What waits for no new connection to come to it.
    pub(crate) leaving: Vec<(Slot, Life)>,
}

impl Desk {
    /// Whether this node is the master, as far as it knows.
    pub(super) fn is_master(&self) -> bool {
        let master = self.view.master.and_then(|master| life(master.node));
        self.me.is_some() && master == self.me
    }

    /// What is to run where, if this node is the one to say so.
    pub(super) fn plan(&mut self) -> Vec<Move> {
        if !self.is_master() {
            self.moving = Moving::default();
            return Vec::new();
        }
        let members = install::members(&self.view, &self.agreed, &self.loads);
        let seen = self.seen();
        let mut moves = self.agreed.plan(&members, &seen);
        self.hold(&mut moves);
        self.remember(&moves, &members);
        moves
    }

    /// How it goes with what was moved, and with what is in two places.
    fn seen(&mut self) -> Seen {
        let now = Instant::now();
        let mut of = BTreeMap::new();
        for (slot, held) in &self.agreed.assignment.slots {
            let node = match held.owner {
                Owner::Both { new, .. } => new,
                Owner::Runs(node) if self.moving.moved.contains_key(slot) => node,
                _ => continue,
            };
            let key = (slot.clone(), node);
            let since = *self.moving.given.entry(key.clone()).or_insert(now);
            of.insert(key, self.outlook(slot, node, now - since));
        }
        self.moving.given.retain(|key, _| of.contains_key(key));
        let owner = |slot: &Slot| self.agreed.assignment.owner(slot);
        let patience = |slot: &Slot| self.patience(slot);
        let settled = |slot: &Slot, from: Life| match owner(slot) {
            Owner::Runs(node) if node != from => {
                of.get(&(slot.clone(), node)) != Some(&Outlook::Waits)
            }
            _ => false,
        };
        let over: Vec<Slot> = (self.moving.moved.iter())
            .filter(|(slot, (from, since))| {
                settled(slot, *from) || now - *since > patience(slot) * 2
            })
            .map(|(slot, _)| slot.clone())
            .collect();
        for slot in over {
            self.moving.moved.remove(&slot);
        }
        let moved = self.moving.moved.iter();
        let moved = moved
            .map(|(slot, (from, _))| (slot.clone(), *from))
            .collect();
        Seen { of, moved }
    }

    fn outlook(&self, slot: &Slot, node: Life, passed: Duration) -> Outlook {
        let mut outlook = Outlook::Ready;
        for id in self.agreed.ids(slot) {
            if self.agreed.is_stopped(&id.process) {
                continue;
            }
            match self.known(node.node, &id) {
                Known::Good(Some(condition)) if condition.is_ready() => {}
                Known::Good(Some(Condition::Down)) => return Outlook::Failed,
                Known::Good(_) | Known::Unknown => outlook = Outlook::Waits,
            }
        }
        if outlook == Outlook::Waits && passed > self.patience(slot) {
            return Outlook::Failed;
        }
        outlook
    }

    /// How long all of a slot may take to be ready.
    fn patience(&self, slot: &Slot) -> Duration {
        let ids = self.agreed.ids(slot);
        let times = ids.iter().filter_map(|id| {
            let process = self.agreed.config.process(&id.process)?;
            Some(process.ready_timeout.0)
        });
        START + times.sum::<Duration>()
    }

    /// Nothing is taken from a node that new connections go to.
    fn hold(&mut self, moves: &mut Vec<Move>) {
        let now = Instant::now();
        let mut wanted = BTreeSet::new();
        for change in std::mem::take(moves) {
            if let Move::Take { slot, node } = &change
                && self.is_balanced(slot)
            {
                let key = (slot.clone(), *node);
                wanted.insert(key.clone());
                let leaving = self.moving.leaving.entry(key);
                let (since, out) = *leaving.or_insert((now, false));
                if !out && now - since < OUT {
                    continue;
                }
            }
            moves.push(change);
        }
        let leaving = &mut self.moving.leaving;
        leaving.retain(|key, _| wanted.contains(key));
        if leaving.values().any(|(_, out)| !out) {
            self.said.balance.send_modify(|count| *count += 1);
        }
    }

    fn is_balanced(&self, slot: &Slot) -> bool {
        let ids = self.agreed.ids(slot);
        ids.iter().any(|id| {
            let process = self.agreed.config.process(&id.process);
            process.is_some_and(|process| !process.balance.is_empty())
        })
    }

    fn remember(&mut self, moves: &[Move], members: &[Member]) {
        let draining = |node: &Life| {
            let mut members = members.iter();
            members.any(|m| m.id == *node && m.presence == Presence::Draining)
        };
        for change in moves {
            if let Move::Take { slot, node } = change
                && self.agreed.assignment.owner(slot) == Owner::Runs(*node)
                && draining(node)
            {
                let taken = (*node, Instant::now());
                self.moving.moved.insert(slot.clone(), taken);
            }
        }
        let owners = self.agreed.assignment.slots.values();
        let both = |owner| matches!(owner, Owner::Both { .. });
        self.moving.waits = !self.moving.moved.is_empty()
            || moves.iter().any(|m| matches!(m, Move::Overlap { .. }))
            || owners.map(|held| held.owner).any(both);
    }

    /// What virtual services are to be, if this node is the one to say so.
    pub(crate) fn balancing(&mut self) -> Option<Balancing> {
        if !self.is_master() {
            return None;
        }
        let members = install::members(&self.view, &self.agreed, &self.loads);
        let mut leaving = self.moving.resting.all();
        leaving.extend(self.moving.leaving.keys().cloned());
        let sight = Sight {
            agreed: &self.agreed,
            members: &members,
            known: &|node, id| self.known(node, id),
            leaving: &leaving,
        };
        let addresses = self.view.members.values().filter_map(|known| {
            let node = Node::new(known.id.number.get())?;
            Some((node, known.candidate.addresses.clone()))
        });
        let addresses: BTreeMap<Node, Vec<IpAddr>> = addresses.collect();
        let is_there = |m: &&Member| matches!(m.presence, Presence::Up | Presence::Draining);
        let there = members.iter().filter(is_there);
        let there = there.filter_map(|member| addresses.get(&member.id.node));
        Some(Balancing {
            wanted: balance::wanted(&sight),
            there: there.flatten().copied().collect(),
            addresses,
            leaving: leaving.into_iter().collect(),
        })
    }

    /// No new connection goes to these any more.
    pub(crate) fn is_out(&mut self, leaving: &[(Slot, Life)]) {
        let mut news = false;
        for key in leaving {
            self.moving.resting.is_out(key);
            if let Some((_, out)) = self.moving.leaving.get_mut(key) {
                news |= !std::mem::replace(out, true);
            }
        }
        if news {
            self.is_due();
        }
    }
}
