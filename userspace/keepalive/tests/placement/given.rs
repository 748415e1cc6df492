//! Some configurations, and what becomes of them.

use ssi_keepalive::config::Config;
use ssi_keepalive::placement::{Move, Presence};

use super::world::World;

pub(crate) fn one(text: &str) -> World {
    let config: Config =
        toml::from_str(&format!("[[process]]\nname = \"p\"\npath = \"/p\"\n{text}")).unwrap();
    let mut world = World::new(config);
    world.settle();
    world
}

pub(crate) fn place(world: &World) -> Vec<u16> {
    let held = world.assignment.slots.values();
    held.filter_map(|held| held.owner.life())
        .map(|life| life.node.get())
        .collect()
}

#[test]
fn backups_in_their_order_and_nobody_before_the_fence() {
    let mut world = one("favoured = 4\nbackup = [3, 5]");
    assert_eq!(place(&world), [4]);
    world.become_(4, Presence::Lost);
    world.settle();
    assert_eq!(place(&world), [4]);
    world.become_(4, Presence::Gone);
    world.settle();
    assert_eq!(place(&world), [3]);
    world.become_(4, Presence::Up);
    world.settle();
    assert_eq!(place(&world), [3], "nothing moves that needn't");
}

#[test]
fn one_per_node_grows_and_shrinks() {
    let mut world = one("favoured = \"all\"\nnodes = [1, 2, 4]");
    assert_eq!(place(&world), [1, 2, 4]);
    world.become_(2, Presence::Lost);
    world.become_(2, Presence::Gone);
    world.settle();
    assert_eq!(place(&world), [1, 4]);
    world.become_(2, Presence::Up);
    world.settle();
    assert_eq!(place(&world), [1, 2, 4]);
}

#[test]
fn the_next_one_the_idle_one_the_last_one() {
    let mut world = one("instances = 3\nrestart_on = \"round_robin\"");
    assert_eq!(place(&world), [1, 2, 3]);
    world.become_(3, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [1, 2, 4]);

    let mut world = one("restart_on = \"least_loaded\"");
    assert_eq!(place(&world), [1]);
    for (member, load) in world.members.iter_mut().zip([0, 900, 300, 800, 800]) {
        member.load = load;
    }
    world.become_(1, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [3]);

    let mut world = one("favoured = 1\nbackup = \"any\"\nrestart_on = \"last_node\"");
    world.become_(1, Presence::Draining);
    world.settle();
    let there = place(&world);
    world.become_(1, Presence::Up);
    // It is put out by its own word, and its last node is still the first to be asked.
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let node = world.members[usize::from(there[0] - 1)].id;
    world.assignment.apply(&Move::Take { slot, node });
    world.settle();
    assert_eq!(place(&world), there);
}

#[test]
fn a_node_that_is_refused_is_asked_last() {
    let mut world = one("favoured = 2\nbackup = [3]");
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let refuse = |world: &mut World, number: usize| {
        let (slot, node) = (slot.clone(), world.members[number - 1].id);
        world.assignment.apply(&Move::Refused { slot, node });
        world.settle();
    };
    refuse(&mut world, 2);
    assert_eq!(place(&world), [3]);
    // There is no other: it is tried where it is.
    refuse(&mut world, 3);
    assert_eq!(place(&world), [3]);
}
