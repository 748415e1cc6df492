//! What has to hold, whatever happens.

use std::time::Duration;

use proptest::prelude::*;
use rand::RngExt;
use ssi_ics::core::credit::Bounds;
use ssi_ics::core::peer::Limits;
use ssi_ics::core::{CallError, Lane, Priority};

use crate::world::World;

const FIRST: Priority = Priority::LOWEST;

fn tight(window: u16) -> Limits {
    Limits {
        window,
        chunks: 2,
        waiting: Bounds {
            calls: 4,
            bytes: 1000,
        },
        lane_bytes: 1000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Connections break at any moment, calls are cancelled and run out of time: each is
    /// dispatched at most once and completes exactly once, with its own reply.
    #[test]
    fn every_call_completes_once(seed: u64, nodes in 2..4_u16, window in 1..5_u16) {
        let mut world = World::new(seed, nodes, tight(window));
        for _ in 0..600 {
            match world.rng.random_range(0..100) {
                0..30 => world.random_call(2),
                30..34 => {
                    if let Some((from, to, lane)) = world.random_pipe() {
                        world.cut(from, to, lane);
                    }
                }
                34..36 => {
                    if let Some((from, to, lane)) = world.random_pipe() {
                        world.cut_but_deliver(from, to, lane);
                    }
                }
                36..40 => {
                    let now = world.now;
                    let open = world.made.iter().find(|(_, made)| made.done.is_none());
                    if let Some((&(from, to, call), _)) = open {
                        world.peer(from, to).cancel(now, call);
                        world.act(from, to);
                    }
                }
                40..50 => world.connect_all(),
                _ => world.step(),
            }
        }
        world.connect_all();
        world.settle(200_000);
        // Then everything is given back.
        for _ in 0..3000 {
            world.step();
        }
        for (number, node) in &world.nodes {
            for (other, peer) in &node.peers {
                let stats = peer.stats();
                prop_assert_eq!(stats.broken, 0, "{} about {}", number, other);
                prop_assert_eq!((stats.pending, stats.serving), (0, 0));
                for lane in stats.lanes {
                    prop_assert_eq!((lane.waiting, lane.credits_used), (0, 0));
                    prop_assert_eq!((lane.kept_frames, lane.kept_bytes), (0, 0));
                }
            }
        }
    }

    /// A calls B, whose handler calls A, whose handler calls B, whose handler calls A, with
    /// more such chains than any window holds.
    #[test]
    fn nested_calls_at_full_throttle_never_stall(seed: u64, window in 1..4_u16) {
        let mut world = World::new(seed, 2, tight(window));
        world.connect_all();
        let mut chains = 0;
        for _ in 0..200_000 {
            if chains == 60 {
                break;
            }
            let (from, to) = if world.rng.random_bool(0.5) { (1, 2) } else { (2, 1) };
            match world.call(from, to, FIRST, 3, None, None) {
                Ok(_) => chains += 1,
                Err(error) => prop_assert_eq!(error, CallError::Throttled),
            }
            world.step();
        }
        prop_assert_eq!(chains, 60);
        world.settle(400_000);
        prop_assert!(world.made.values().all(|made| matches!(made.done, Some(Ok(_)))));
    }

    /// Nothing fails because of connections or time; all fails with the view.
    #[test]
    fn nodedown_ends_all_calls_and_nothing_else_does(seed: u64) {
        let mut world = World::new(seed, 2, tight(3));
        world.connect_all();
        for _ in 0..100 {
            let _ = world.call(1, 2, FIRST, 1, None, None);
            world.step();
        }
        world.handlers_answer = false;
        let before = world.made.values().filter(|made| made.done.is_some()).count();
        let last = world.random_pipe();
        for lane in Lane::ALL {
            if Some(lane.number()) != last.map(|pipe| pipe.2) {
                world.cut(1, 2, lane.number());
            }
        }
        world.now += Duration::from_secs(3600);
        let now = world.now;
        world.peer(1, 2).tick(now);
        world.act(1, 2);
        let after = world.made.values().filter(|made| made.done.is_some()).count();
        prop_assert_eq!(before, after);
        world.peer(1, 2).nodedown(9);
        world.act(1, 2);
        let down = CallError::NodeDown { node: 2, epoch: 9 };
        for ((from, ..), made) in &world.made {
            let ended = made.done.as_ref();
            prop_assert!(*from == 2 || matches!(ended, Some(Ok(_))) || ended == Some(&Err(down.clone())));
        }
        let dispatched = world.nodes[&1].dispatched.len();
        if let Some((_, _, lane)) = last {
            world.cut_but_deliver(2, 1, lane);
        }
        prop_assert_eq!(world.nodes[&1].dispatched.len(), dispatched);
        prop_assert_eq!(world.call(1, 2, FIRST, 0, None, None).unwrap_err(), down);
    }
}

/// A node whose handlers never answer, over connections that hardly move.
#[test]
fn slow_readers_cost_bounded_memory() {
    let limits = tight(8);
    let mut world = World::new(1, 2, limits);
    world.pipe_bytes = 300;
    world.handlers_answer = false;
    world.connect_all();
    let mut refused = 0;
    for _ in 0..5000 {
        if world.call(1, 2, FIRST, 0, None, None).is_err() {
            refused += 1;
        }
        let _ = world.call(1, 2, FIRST, 0, None, Some(1 << 20));
        world.step();
        let stats = world.peer(1, 2).stats();
        for lane in stats.lanes {
            assert!(lane.waiting <= 4, "{lane:?}");
            // At most 8 streams of 2 chunks on the bulk lane, and a call more than fits.
            assert!(lane.kept_bytes <= (16 * (64 << 10) + 4000), "{lane:?}");
        }
        assert!(stats.pending <= 2 * (8 + 4), "{stats:?}");
        assert!(world.peer(2, 1).stats().serving <= 16);
    }
    assert!(refused > 4900, "{refused}");
    assert!(world.peer(1, 2).would_throttle(7, FIRST));
    world.handlers_answer = true;
    world.pipe_bytes = 1 << 20;
}
