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
}

/// Everything that is to run, with these nodes in the view.
#[must_use]
pub fn wanted(config: &Config, members: &[Member]) -> BTreeMap<Slot, Wanted> {
    let mut all = BTreeMap::new();
    for group in &config.group {
        let place = Arc::new(group.place());
        add(&mut all, &group.name, place, 1, members, &group.members);
    }
    for process in &config.process {
        if config.group_of(&process.name).is_none() {
            let place = Arc::new(process.place());
            let names = std::slice::from_ref(&process.name);
            let instances = process.instances;
            add(&mut all, &process.name, place, instances, members, names);
        }
    }
    all
}

fn add(
    all: &mut BTreeMap<Slot, Wanted>,
    name: &str,
    place: Arc<Place>,
    instances: u32,
    members: &[Member],
    names: &[String],
) {
    let mut put = |instance: u32, only| {
        let name = Arc::from(name);
        let ids = names.iter().map(|name| Id::new(name, instance)).collect();
        let place = place.clone();
        all.insert(Slot { name, instance }, Wanted { place, only, ids });
    };
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
