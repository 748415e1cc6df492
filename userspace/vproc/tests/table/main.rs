//! The table of processes against a machine made up, of which the truth is known.

mod world;

use std::collections::HashMap;

use proptest::prelude::*;
use ssi_vproc::core::{Change, Id, Process};
use world::{Step, World};

/// Few numbers, so that they are used again and again.
const PIDS: u32 = 6;

fn steps(losing: bool) -> impl Strategy<Value = Vec<(Step, u64)>> {
    let pid = || 1..=PIDS;
    let step = prop_oneof![
        4 => pid().prop_map(Step::Fork),
        2 => pid().prop_map(Step::Exec),
        4 => pid().prop_map(Step::Exit),
        4 => pid().prop_map(Step::Reap),
        if losing { 1 } else { 0 } => Just(Step::Lose),
        2 => Just(Step::Read),
        1 => (0..=PIDS).prop_map(Step::Look),
        1 => Just(Step::Finish),
    ];
    // From a microsecond to more than clocks may differ by.
    prop::collection::vec((step, 1_000_u64..3_000_000), 0..200)
}

fn run(steps: &[(Step, u64)]) -> World {
    let mut world = World::default();
    for (step, nanos) in steps {
        world.step(*step, *nanos);
    }
    world.settle();
    world
}

/// What matters, in order.
fn essence(processes: impl IntoIterator<Item = Process>) -> Vec<(Id, String, char)> {
    let mut all: Vec<_> = processes
        .into_iter()
        .map(|p| (p.id, p.comm.to_string(), p.state.letter()))
        .collect();
    all.sort();
    all
}

/// Everybody's story: begins once, ends once at most, and nothing after that.
fn check_stories(changes: &[Change]) -> Result<HashMap<Id, bool>, TestCaseError> {
    let mut ended = HashMap::new();
    for change in changes {
        match *change {
            Change::Started(id) => {
                prop_assert_eq!(ended.insert(id, false), None, "{:?} starts again", id);
            }
            Change::Executed(id) => prop_assert_eq!(ended.get(&id), Some(&false)),
            Change::Exited(id, _) | Change::Vanished(id) => {
                prop_assert_eq!(ended.insert(id, true), Some(false), "{:?} ends again", id);
            }
        }
    }
    Ok(ended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_lost_the_next_snapshot_makes_good(steps in steps(true)) {
        let world = run(&steps);
        prop_assert!(!world.table.wants_snapshot());
        prop_assert_eq!(essence(world.table.processes().cloned()), essence(world.truth()));
        check_stories(&world.changes)?;
    }

    #[test]
    fn if_nothing_is_lost_everybody_tells_how_they_ended(steps in steps(false)) {
        let world = run(&steps);
        prop_assert!(!world.ever_lost);
        let vanished = world.changes.iter().any(|c| matches!(c, Change::Vanished(_)));
        prop_assert!(!vanished);
        let stories = check_stories(&world.changes)?;
        for id in &world.ended {
            prop_assert_eq!(stories.get(id), Some(&true));
        }
        let ended = stories.values().filter(|ended| **ended).count();
        prop_assert_eq!(ended, world.ended.len());
    }
}

#[test]
fn a_table_that_never_saw_a_snapshot_wants_one() {
    let mut world = World::default();
    assert!(world.table.wants_snapshot());
    world.settle();
    assert!(!world.table.wants_snapshot());
    for step in [Step::Lose, Step::Fork(1), Step::Read] {
        world.step(step, 1);
    }
    assert!(world.table.wants_snapshot() && world.table.is_empty());
    world.settle();
    assert!(!world.table.wants_snapshot());
    assert_eq!(world.table.len(), 1);
}
