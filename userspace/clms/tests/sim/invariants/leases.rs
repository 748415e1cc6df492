//! A resource gets another owner only when the one before can't act for it any more: its
//! lease is over, or it has given the resource back.

use ssi_clms::core::Epoch;
use ssi_clms::core::follower::Installed;

use crate::world::{World, host_of};

/// Up to which epoch it has been looked.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    newest: Epoch,
}

impl Leases {
    /// The first host has a view: looks at all hosts' clocks and leases, as no node can.
    pub(crate) fn installed(world: &mut World, installed: &Installed) -> Option<String> {
        let view = &installed.view;
        if view.epoch <= world.invariants.leases.newest {
            return None;
        }
        world.invariants.leases.newest = view.epoch;
        let now = world.now();
        let changed = view
            .owners
            .iter()
            .filter(|(_, held)| held.since == view.epoch);
        changed
            .filter(|(_, held)| held.owner.is_some())
            .find_map(|(resource, held)| {
                let before = held.before.filter(|before| held.owner != Some(*before))?;
                let place = &world.hosts[host_of(before)];
                let acts = place.id() == Some(before) && place.acts_for(now, resource);
                acts.then(|| {
                    format!("{resource} was given away while node {before} could act for it")
                })
            })
    }
}
