//! Never two masters that give leases.

use crate::world::World;

pub(crate) fn check(world: &World, now: u64) -> Option<String> {
    let masters = world.hosts.iter().take(world.potential_masters);
    let masters: Vec<usize> = masters
        .filter(|host| host.masters(now))
        .map(|host| host.index + 1)
        .collect();
    (masters.len() > 1).then(|| format!("several masters at once: hosts {masters:?}"))
}
