//! Which nodes are real servers of which virtual services.
//!
//! Pure: what is agreed, the nodes and what instances are good for go in, the real servers come
//! out. The same input gives the same servers everywhere, and asking again changes nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ssi_api::lvs::{Method, Scheduler};

use crate::agreed::Agreed;
use crate::config::{Balance, VirtualService};
use crate::core::{Condition, Id};
use crate::node::Node;
use crate::placement::{Life, Member, Presence, Slot};

/// What is known of an instance on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the node hasn't said.
    Unknown,
    /// What it is good for; none: for nothing.
    Good(Option<Condition>),
}

/// How much of the new connections a real server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// None; established ones go on. It needn't be a real server if it isn't one.
    Nothing,
    /// Whatever it takes now: nobody knows better.
    Same,
    /// By this weight.
    Weight(u32),
}

/// A real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// How packets reach it.
    pub method: Method,
    /// How much it takes.
    pub share: Share,
}

/// A virtual service as processes want it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How servers are picked, if anybody said.
    pub scheduler: Option<Scheduler>,
    /// The nodes that are real servers, each at its port.
    pub servers: BTreeMap<(Node, u16), Server>,
}

/// What real servers follow from.
pub struct Sight<'a> {
    /// What is agreed.
    pub agreed: &'a Agreed,
    /// The nodes.
    pub members: &'a [Member],
    /// What is known of instances on nodes.
    pub known: &'a dyn Fn(Node, &Id) -> Known,
    /// What is about to be taken from nodes.
    pub leaving: &'a BTreeSet<(Slot, Life)>,
}

/// A real server, before all of its service are known.
struct Draft {
    method: Method,
    share: Share,
    /// What it would take although its last health check failed.
    unwell: Option<u32>,
}

type Drafts = BTreeMap<(Node, u16), Draft>;

/// Every virtual service that a process is to be a real server of, and the nodes that are.
#[must_use]
pub fn wanted(sight: &Sight<'_>) -> BTreeMap<VirtualService, Wanted> {
    let config = &sight.agreed.config;
    let mut all: BTreeMap<VirtualService, (Option<Scheduler>, Drafts)> = BTreeMap::new();
    for balance in config.process.iter().flat_map(|process| &process.balance) {
        let (scheduler, _) = all.entry(balance.service).or_default();
        *scheduler = scheduler.or(balance.scheduler);
    }
    if all.is_empty() {
        return BTreeMap::new();
    }
    for (slot, held) in &sight.agreed.assignment.slots {
        let lives = || held.owner.lives();
        for id in sight.agreed.ids(slot) {
            let Some(process) = config.process(&id.process) else {
                continue;
            };
            for balance in &process.balance {
                for life in lives().filter(|life| !sight.is_gone(*life)) {
                    let draft = sight.draft(slot, life, &id, balance);
                    let (_, servers) = all.entry(balance.service).or_default();
                    put(servers, (life.node, balance.port()), draft);
                }
            }
        }
    }
    let settle = |(service, (scheduler, drafts)): (_, (_, Drafts))| {
        let servers = settle(drafts);
        (service, Wanted { scheduler, servers })
    };
    all.into_iter().map(settle).collect()
}

/// A node is a real server once, whatever it has of a process.
fn put(servers: &mut Drafts, at: (Node, u16), draft: Draft) {
    match servers.entry(at) {
        Entry::Vacant(place) => {
            place.insert(draft);
        }
        Entry::Occupied(mut place) => {
            let old = place.get_mut();
            old.share = old.share.max(draft.share);
            old.unwell = old.unwell.max(draft.unwell);
        }
    }
}

/// What is unwell takes nothing, unless all are: that is no worse than nobody.
fn settle(drafts: Drafts) -> BTreeMap<(Node, u16), Server> {
    let takes = |draft: &Draft| matches!(draft.share, Share::Weight(_));
    let somebody = drafts.values().any(takes);
    let settle = |(at, draft): (_, Draft)| {
        let share = match (draft.share, draft.unwell) {
            (Share::Nothing, Some(weight)) if !somebody => Share::Weight(weight),
            (share, _) => share,
        };
        let method = draft.method;
        (at, Server { method, share })
    };
    drafts.into_iter().map(settle).collect()
}

impl Sight<'_> {
    fn presence(&self, life: Life) -> Presence {
        let mut members = self.members.iter();
        let member = members.find(|member| member.id == life);
        member.map_or(Presence::Gone, |member| member.presence)
    }

    fn is_gone(&self, life: Life) -> bool {
        self.presence(life) == Presence::Gone
    }

    fn draft(&self, slot: &Slot, life: Life, id: &Id, balance: &Balance) -> Draft {
        let mut draft = Draft {
            method: balance.method,
            share: Share::Nothing,
            unwell: None,
        };
        let owner = self.agreed.assignment.owner(slot);
        let there = matches!(self.presence(life), Presence::Up | Presence::Draining);
        let leaves = !owner.has(life) || self.leaving.contains(&(slot.clone(), life));
        if !there || leaves {
            return draft;
        }
        match (self.known)(life.node, id) {
            Known::Unknown => draft.share = Share::Same,
            Known::Good(Some(Condition::Ready)) => draft.share = Share::Weight(balance.weight),
            Known::Good(Some(Condition::Unwell)) => draft.unwell = Some(balance.weight),
            Known::Good(_) => {}
        }
        draft
    }
}
