//! Never two owners of a resource at one instant.

use crate::world::World;

pub(crate) fn check(world: &World, now: u64, resource: &str) -> Option<String> {
    let owners: Vec<usize> = world
        .hosts
        .iter()
        .filter(|host| host.acts_for(now, resource))
        .map(|host| host.index + 1)
        .collect();
    (owners.len() > 1).then(|| format!("{resource} has several owners at once: hosts {owners:?}"))
}
