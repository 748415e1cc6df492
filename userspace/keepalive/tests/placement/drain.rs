//! Nodes that are drained.

use std::collections::BTreeMap;

use ssi_keepalive::placement::{Move, Outlook, Owner, Presence, Slot};

use super::given::{one, place};
use super::world::World;

/// Who has the slots, in their order.
fn owners(world: &World) -> Vec<Owner> {
    let held = world.assignment.slots.values();
    held.map(|held| held.owner).collect()
}

#[test]
fn a_drained_node_gives_one_at_a_time_and_the_next_when_that_is_ready() {
    let mut world = one("instances = 3\nfavoured = 2\nbackup = [3]");
    world.become_(2, Presence::Draining);
    let on = |world: &World, number: u16| place(world).iter().filter(|n| **n == number).count();
    for moved in 0..3 {
        let taken = world.round();
        let [Move::Take { slot, .. }] = &taken[..] else {
            panic!("{taken:?}")
        };
        assert_eq!(world.round(), Vec::new(), "it has not ended yet");
        world.release();
        let there = (slot.clone(), world.members[2].id);
        world.seen.of.insert(there.clone(), Outlook::Waits);
        let given = world.round();
        assert!(matches!(&given[..], [Move::Give { .. }]), "{given:?}");
        assert_eq!(world.round(), Vec::new(), "it is not ready yet");
        assert_eq!((on(&world, 2), on(&world, 3)), (2 - moved, moved + 1));
        // Nobody waits for what is down.
        let goes = if moved == 1 {
            Outlook::Failed
        } else {
            Outlook::Ready
        };
        world.seen.of.insert(there, goes);
    }
    assert_eq!(world.round(), Vec::new());
}

#[test]
fn what_may_overlap_ends_when_it_is_ready_elsewhere() {
    let mut world = one("instances = 2\nfavoured = 2\nbackup = [3, 4]\noverlap = true");
    let slots: Vec<Slot> = world.assignment.slots.keys().cloned().collect();
    let [old, third, fourth] = [1, 2, 3].map(|n| world.members[n].id);
    let waits = |slot: &Slot, node| ((slot.clone(), node), Outlook::Waits);
    world.seen.of = BTreeMap::from([waits(&slots[0], third), waits(&slots[1], third)]);
    world.become_(2, Presence::Draining);
    world.round();
    assert_eq!(world.round(), Vec::new(), "it is not ready yet");
    let both = Owner::Both { old, new: third };
    assert_eq!(owners(&world), [both, Owner::Runs(old)]);
    // It is down there: tried on another node, it still runs where it was.
    world
        .seen
        .of
        .insert((slots[0].clone(), third), Outlook::Failed);
    world.round();
    let handing = Owner::Handing {
        old: third,
        new: old,
    };
    assert_eq!(owners(&world), [handing, Owner::Runs(old)]);
    assert_eq!(world.round(), Vec::new());
    world.release();
    world.round();
    let both = Owner::Both { old, new: fourth };
    assert_eq!(owners(&world)[0], both);
    // That node crashes, and the old one has it alone.
    world.become_(4, Presence::Lost);
    assert_eq!(world.round(), Vec::new(), "it may be ready there");
    world.become_(4, Presence::Gone);
    world.round();
    assert_eq!(owners(&world)[0], Owner::Runs(old));
    world.become_(4, Presence::Up);
    world.seen.of.clear();
    world.settle();
    let nodes: Vec<u16> = place(&world);
    assert!(nodes.iter().all(|node| *node != 2), "{nodes:?}");
}

#[test]
fn what_is_ready_nowhere_else_stays() {
    let mut world = one("favoured = 2\nbackup = [3]\noverlap = true");
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let third = world.members[2].id;
    world.seen.of.insert((slot, third), Outlook::Failed);
    world.become_(2, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [2]);
}
