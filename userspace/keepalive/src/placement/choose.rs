//! Which node, for something that has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::assignment::{Assignment, Held};
use super::slot::{Slot, Wanted};
use super::{Member, Presence};
use crate::config::{Backup, Favoured, Place, Selection};
use crate::node::Node;

/// What something that was just given to a node counts for, until the node's own load tells:
/// a tenth of a processor.
const GIVEN: u64 = 100;

/// The nodes that are UP, and what each has got.
#[derive(Debug)]
pub struct Field {
    loads: BTreeMap<Node, u64>,
    root: Option<Node>,
    /// Which nodes have something of what goes by this name, and which instances.
    shares: BTreeMap<(Arc<str>, Node), BTreeSet<u32>>,
}

impl Field {
    /// These nodes, with what they have.
    #[must_use]
    pub fn of(members: &[Member], assignment: &Assignment) -> Self {
        let up = || members.iter().filter(|m| m.presence == Presence::Up);
        let mut field = Self {
            loads: up().map(|m| (m.id.node, u64::from(m.load))).collect(),
            root: up().find(|m| m.root).map(|m| m.id.node),
            shares: BTreeMap::new(),
        };
        for (slot, held) in &assignment.slots {
            for life in held.owner.lives() {
                if up().any(|member| member.id == life) {
                    field.has(slot, life.node);
                }
            }
        }
        field
    }

    fn has(&mut self, slot: &Slot, node: Node) {
        let share = self.shares.entry((slot.name.clone(), node)).or_default();
        share.insert(slot.instance);
    }

    /// It has got one more.
    pub(super) fn give(&mut self, slot: &Slot, node: Node) {
        *self.loads.entry(node).or_default() += GIVEN;
        self.has(slot, node);
    }

    /// How many others of the same name a node has.
    fn others(&self, slot: &Slot, node: Node) -> usize {
        let share = self.shares.get(&(slot.name.clone(), node));
        let others = share.into_iter().flatten();
        others
            .filter(|instance| **instance != slot.instance)
            .count()
    }

    /// Whether something may run there now.
    pub(super) fn may(&self, wanted: &Wanted, node: Node) -> bool {
        self.loads.contains_key(&node)
            && self.allows(&wanted.place, node)
            && wanted.only.is_none_or(|only| only == node)
    }

    fn allows(&self, place: &Place, node: Node) -> bool {
        let listed = place.nodes.is_empty() || place.nodes.contains(&node);
        listed
            && match place.favoured {
                Favoured::Any | Favoured::All => true,
                Favoured::Root => self.root == Some(node),
                Favoured::Node(favoured) => {
                    favoured == node
                        || match &place.backup {
                            Backup::Any => true,
                            Backup::Nodes(nodes) => nodes.contains(&node),
                        }
                }
            }
    }

    /// The node that something would be given to now; none: no node may run it. One that was
    /// refused is taken only if all were.
    #[must_use]
    pub fn choose(&self, slot: &Slot, wanted: &Wanted, held: &Held) -> Option<Node> {
        let may = |node: &Node| self.may(wanted, *node);
        let all: Vec<Node> = self.loads.keys().copied().filter(may).collect();
        let fresh = all.iter().copied();
        let fresh: Vec<Node> = fresh.filter(|node| !held.refused.contains(node)).collect();
        let among = if fresh.is_empty() { all } else { fresh };
        let place = &wanted.place;
        // What goes back to its favoured node must not be sent elsewhere from there.
        if place.failback
            && let Favoured::Node(favoured) = place.favoured
            && among.contains(&favoured)
        {
            return Some(favoured);
        }
        match (place.selection(), held.last) {
            (Selection::LastNode, Some(last)) if among.contains(&last) => Some(last),
            // The first time, everything goes where it is favoured.
            (_, None) if matches!(place.favoured, Favoured::Node(_)) => {
                self.in_order(place, &among)
            }
            (Selection::FNode | Selection::LastNode, _) => self.in_order(place, &among),
            (Selection::RoundRobin, last) => {
                let turn = match last {
                    Some(last) => among.iter().filter(|node| **node <= last).count(),
                    None => usize::try_from(slot.instance).unwrap_or(0),
                };
                self.in_turn(slot, &among, turn)
            }
            (Selection::LeastLoaded, _) => self.least(&among),
        }
    }

    /// The favoured one, the backups as they are listed, the least loaded of the others.
    fn in_order(&self, place: &Place, among: &[Node]) -> Option<Node> {
        let favoured = match place.favoured {
            Favoured::Node(node) => Some(node),
            _ => None,
        };
        let backups = match &place.backup {
            Backup::Nodes(nodes) => &nodes[..],
            Backup::Any => &[],
        };
        let mut listed = favoured.iter().chain(backups);
        let listed = listed.find(|node| among.contains(node)).copied();
        listed.or_else(|| self.least(among))
    }

    /// The one whose turn it is, and the ones after it; whoever has an instance already gets
    /// another one only if all have.
    fn in_turn(&self, slot: &Slot, among: &[Node], turn: usize) -> Option<Node> {
        let (before, from) = among.split_at(turn % among.len().max(1));
        let turns = from.iter().chain(before).copied();
        turns.min_by_key(|node| self.others(slot, *node))
    }

    fn least(&self, among: &[Node]) -> Option<Node> {
        let load = |node: &Node| self.loads.get(node).copied().unwrap_or(u64::MAX);
        let least = among.iter().min_by_key(|node| (load(node), **node));
        least.copied()
    }
}
