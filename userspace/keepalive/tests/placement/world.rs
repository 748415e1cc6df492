//! Nodes, and what they run.

use std::collections::{BTreeMap, BTreeSet};

use ssi_keepalive::Node;
use ssi_keepalive::config::{Backup, Config, Favoured};
use ssi_keepalive::placement::{
    Assignment, Life, Member, Move, Outlook, Outlooks, Owner, Presence, Slot, Wanted, plan, wanted,
};

pub(crate) const NODES: u16 = 5;

pub(crate) fn node(number: u16) -> Node {
    Node::new(number).unwrap()
}

/// Nodes and what they really run.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) members: Vec<Member>,
    pub(crate) assignment: Assignment,
    /// What has processes, and where.
    pub(crate) runs: BTreeMap<Slot, BTreeSet<Life>>,
    pub(crate) seen: Seen,
}

/// How it goes with what was moved; well, unless it is said.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) of: BTreeMap<(Slot, Life), Outlook>,
    pub(crate) moved: BTreeMap<Slot, Life>,
}

impl Outlooks for Seen {
    fn of(&self, slot: &Slot, node: Life) -> Outlook {
        let key = (slot.clone(), node);
        self.of.get(&key).copied().unwrap_or(Outlook::Ready)
    }

    fn moved(&self) -> &BTreeMap<Slot, Life> {
        &self.moved
    }
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let member = |number| Member {
            id: Life {
                node: node(number),
                life: 1,
            },
            presence: Presence::Up,
            load: 0,
            root: number == 1,
        };
        Self {
            config,
            members: (1..=NODES).map(member).collect(),
            assignment: Assignment::default(),
            runs: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    pub(crate) fn wanted(&self) -> BTreeMap<Slot, Wanted> {
        wanted(&self.config, &self.members)
    }

    /// One round of planning. Answers the moves.
    pub(crate) fn round(&mut self) -> Vec<Move> {
        let wanted = self.wanted();
        let plan = || plan(&wanted, &self.members, &self.assignment, &self.seen);
        let moves = plan();
        assert_eq!(moves, plan());
        for change in &moves {
            match change {
                Move::Give { slot, node, .. } => {
                    let there = self.runs(slot);
                    assert!(
                        there.is_empty(),
                        "{slot:?} goes to {node:?} and has processes on {there:?}"
                    );
                    self.runs.entry(slot.clone()).or_default().insert(*node);
                }
                Move::Overlap { slot, old, new } => {
                    assert!(wanted[slot].overlap, "{slot:?} may not overlap");
                    assert_eq!(self.runs(slot), BTreeSet::from([*old]));
                    self.runs.entry(slot.clone()).or_default().insert(*new);
                }
                Move::Take { slot, node }
                    if self.presence(node.node.get()) == Presence::Draining
                        && self.assignment.owner(slot) == Owner::Runs(*node) =>
                {
                    self.seen.moved.insert(slot.clone(), *node);
                }
                _ => {}
            }
            self.assignment.apply(change);
        }
        moves
    }

    pub(crate) fn runs(&self, slot: &Slot) -> BTreeSet<Life> {
        self.runs.get(slot).cloned().unwrap_or_default()
    }

    /// Nodes that are up end what they were told to.
    pub(crate) fn release(&mut self) {
        for (slot, held) in self.assignment.slots.clone() {
            let leaves = held.owner.lives().find(|life| held.owner.leaves(*life));
            let Some(node) = leaves else { continue };
            let member = self.members[usize::from(node.node.get() - 1)];
            if member.id == node && matches!(member.presence, Presence::Up | Presence::Draining) {
                self.runs.entry(slot.clone()).or_default().remove(&node);
                self.assignment.apply(&Move::Released { slot, node });
            }
        }
    }

    pub(crate) fn presence(&self, node: u16) -> Presence {
        self.members[usize::from(node - 1)].presence
    }

    pub(crate) fn become_(&mut self, number: u16, presence: Presence) {
        let member = &mut self.members[usize::from(number - 1)];
        // What comes back after it was given up has nothing left of its old life.
        if member.presence == Presence::Gone && presence != Presence::Gone {
            member.id.life += 1;
        }
        member.presence = presence;
        if presence == Presence::Gone {
            let id = member.id;
            for on in self.runs.values_mut() {
                on.remove(&id);
            }
        }
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..200 {
            if self.round().is_empty() {
                let before = self.assignment.clone();
                self.release();
                if self.assignment == before {
                    return;
                }
            }
            self.release();
        }
        panic!("it never settles: {:?}", self.assignment);
    }

    /// Where a slot may be, by the configuration alone.
    pub(crate) fn allowed(&self, wanted: &Wanted) -> BTreeSet<Node> {
        let up = self.members.iter().filter(|m| m.presence == Presence::Up);
        let place = &wanted.place;
        up.filter(|m| place.nodes.is_empty() || place.nodes.contains(&m.id.node))
            .filter(|m| wanted.only.is_none_or(|only| only == m.id.node))
            .filter(|m| match (place.favoured, &place.backup) {
                (Favoured::Any | Favoured::All, _) => true,
                (Favoured::Root, _) => m.root,
                (Favoured::Node(favoured), _) if favoured == m.id.node => true,
                (Favoured::Node(_), Backup::Any) => true,
                (Favoured::Node(_), Backup::Nodes(nodes)) => nodes.contains(&m.id.node),
            })
            .map(|m| m.id.node)
            .collect()
    }
}
