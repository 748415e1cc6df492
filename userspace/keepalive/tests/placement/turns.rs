//! One after the other: each node gets one before any gets two.

use proptest::collection::vec;
use proptest::prelude::*;
use ssi_keepalive::placement::Presence;

use super::given::{one, place};
use super::world::NODES;

proptest! {
    #[test]
    fn nobody_gets_two_while_another_has_none(
        instances in 1_u32..12,
        lost in vec(1..=NODES, 0..12),
    ) {
        let mut world = one(&format!("instances = {instances}\nrestart_on = \"round_robin\""));
        let (all, up) = (instances as usize, usize::from(NODES));
        let first = place(&world);
        prop_assert_eq!(first.len(), all);
        for number in 1..=NODES {
            let has = first.iter().filter(|on| **on == number).count();
            prop_assert!((all / up..=all.div_ceil(up)).contains(&has), "{first:?}");
        }
        for number in lost {
            // What it had goes to the others, and to none of them twice if that can be.
            let before = place(&world);
            world.become_(number, Presence::Lost);
            world.become_(number, Presence::Gone);
            world.settle();
            let now = place(&world);
            prop_assert!(!now.contains(&number));
            for (from, to) in before.iter().zip(&now) {
                prop_assert!(from == to || *from == number, "{before:?} {now:?}");
            }
            let count = |node: u16| now.iter().filter(|on| **on == node).count();
            let moved = now.iter().zip(&before).filter(|(to, from)| to != from);
            for (to, _) in moved {
                let least = (1..=NODES).filter(|n| *n != number).map(count).min().unwrap_or(0);
                prop_assert!(count(*to) <= least + 1, "{before:?} {now:?}");
            }
            world.become_(number, Presence::Up);
            world.settle();
            prop_assert_eq!(place(&world), now, "nothing moves that needn't");
        }
    }
}
