//! The device that switches hosts off.

use std::time::Duration;

use ssi_clms::core::NodeId;

use crate::life;
use crate::seats;
use crate::world::{Event, Fencing, World, host_of};

/// Switches a host off, if the device works, and says so.
pub(crate) fn switch_off(world: &mut World, by: usize, id: NodeId, request: u64) {
    let works = match world.fencing {
        Some(Fencing::Works) => true,
        Some(Fencing::Fails) => false,
        Some(Fencing::Hangs) | None => return,
    };
    let host = host_of(id);
    if works && world.hosts[host].up {
        world.invariants.healthy.faulty.insert(host);
        if let Some(seat) = life::crash(world, host) {
            seats::spawn(world, async move { seat.leave().await });
        }
    }
    let daemon = world.hosts[by].daemon;
    world.plan(
        Duration::from_millis(50),
        by,
        Event::Fenced(daemon, request, id, works),
    );
}
