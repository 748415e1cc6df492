//! What has to be placed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Member, Presence};
use crate::config::{Config, Favoured, Place};
use crate::core::Id;
use crate::node::Node;

/// What runs in one place: an instance of a process, or of a whole group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The process or group.
    pub name: Arc<str>,
    /// Which of its instances.
    pub instance: u32,
}

/// A slot that the configuration wants filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub place: Arc<Place>,
    /// It belongs to this node and no other: one of those that run on each.
    pub only: Option<Node>,
    /// What runs in it.
    pub ids: Vec<Id>,
    /// When it moves on purpose it may run on two nodes for a moment.
    pub overlap: bool,
}

/// Everything that is to run, with these nodes in the view.
#[must_use]
pub fn wanted(config: &Config, members: &[Member]) -> BTreeMap<Slot, Wanted> {
    let mut all = BTreeMap::new();
    let overlaps = |name: &String| config.process(name).is_some_and(|p| p.overlap);
    for group in &config.group {
        let kind = Kind {
            name: &group.name,
            place: Arc::new(group.place()),
            instances: 1,
            names: &group.members,
            overlap: group.members.iter().all(overlaps),
        };
        kind.add(&mut all, members);
    }
    for process in &config.process {
        if config.group_of(&process.name).is_none() {
            let kind = Kind {
                name: &process.name,
                place: Arc::new(process.place()),
                instances: process.instances,
                names: std::slice::from_ref(&process.name),
                overlap: process.overlap,
            };
            kind.add(&mut all, members);
        }
    }
    all
}

/// What slots have in common.
struct Kind<'a> {
    name: &'a str,
    place: Arc<Place>,
    instances: u32,
    names: &'a [String],
    overlap: bool,
}

impl Kind<'_> {
    fn add(&self, all: &mut BTreeMap<Slot, Wanted>, members: &[Member]) {
        let mut put = |instance: u32, only| {
            let name = Arc::from(self.name);
            let ids = self.names.iter();
            let wanted = Wanted {
                place: self.place.clone(),
                only,
                ids: ids.map(|name| Id::new(name, instance)).collect(),
                overlap: self.overlap,
            };
            all.insert(Slot { name, instance }, wanted);
        };
        let (place, instances) = (&self.place, self.instances);
        if place.favoured != Favoured::All {
            (0..instances).for_each(|instance| put(instance, None));
            return;
        }
        let allowed = |node: &Node| place.nodes.is_empty() || place.nodes.contains(node);
        let up = members.iter().filter(|m| m.presence == Presence::Up);
        for node in up.map(|member| member.id.node).filter(allowed) {
            // A node's instances have the same numbers whoever else is there.
            let first = u32::from(node.get() - 1).saturating_mul(instances);
            (0..instances).for_each(|n| put(first.saturating_add(n), Some(node)));
        }
    }
}
