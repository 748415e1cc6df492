//! Many fail at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::config::{Config, Process, Span};
use crate::core::{Action, Event, Exit, Heard, Id, Main, Run, State, Supervisor, Time};

const ONE_AFTER_THE_OTHER: usize = 16;

/// A supervisor whose runner takes its time.
struct Storm {
    supervisor: Supervisor,
    now: Time,
    /// What it was asked to start and has not answered.
    asked: VecDeque<(Id, Run)>,
    /// Everything it was asked to start.
    started: Vec<Id>,
    running: BTreeMap<Id, Run>,
}

impl Storm {
    fn new(count: u32, seed: u64) -> Self {
        Self::of(&[("s", count)], seed)
    }

    fn of(all: &[(&str, u32)], seed: u64) -> Self {
        let config = Config {
            process: (all.iter())
                .map(|(name, instances)| Process {
                    instances: *instances,
                    error_limit: 1000,
                    ..Process::new(name, "/s")
                })
                .collect(),
            ..Config::default()
        };
        let mut supervisor = Supervisor::new(Arc::new(config));
        supervisor.spread(seed);
        let mut storm = Self {
            supervisor,
            now: Time(1_000_000_000),
            asked: VecDeque::new(),
            started: Vec::new(),
            running: BTreeMap::new(),
        };
        for (name, count) in all {
            for instance in 0..*count {
                let id = Id::new(name, instance);
                storm.tell(Event::Place { id, carried: None });
            }
        }
        storm
    }

    fn tell(&mut self, event: Event) {
        for action in self.supervisor.handle(self.now, event) {
            if let Action::Start { id, run, .. } = action {
                self.started.push(id.clone());
                self.asked.push_back((id, run));
            }
        }
        assert!(self.asked.len() <= ONE_AFTER_THE_OTHER, "too many at once");
    }

    /// The runner has tried one, not always the one that was asked for first.
    fn answer(&mut self, which: usize, well: bool) {
        let which = which % self.asked.len();
        let (id, run) = self.asked.remove(which).unwrap();
        let heard = if well {
            self.running.insert(id.clone(), run);
            let start = run;
            Heard::Started(Main { pid: 100, start })
        } else {
            Heard::NotStarted("no memory".to_owned())
        };
        self.tell(Event::Heard { id, run, heard });
    }

    fn dies(&mut self, id: &Id) {
        let run = self.running.remove(id).unwrap();
        let exit = Exit::Signal(9);
        let heard = Heard::Exited { exit, rest: false };
        let id = id.clone();
        self.tell(Event::Heard { id, run, heard });
    }
}

#[test]
fn a_thousand_that_die_at_once_stand_in_line() {
    let mut storm = Storm::new(1000, 0);
    while !storm.asked.is_empty() {
        storm.answer(0, true);
    }
    let ids: Vec<Id> = (0..1000).map(|n| Id::new("s", n)).collect();
    assert_eq!(storm.started, ids);
    storm.started.clear();
    let mut dying = ids.clone();
    dying.reverse();
    for id in &dying {
        storm.dies(id);
    }
    let last = Id::new("s", 0);
    assert_eq!(
        storm.supervisor.why(storm.now, &last).unwrap(),
        "it waits for its turn: 16 others are being started"
    );
    while !storm.asked.is_empty() {
        storm.answer(0, true);
    }
    assert_eq!(storm.started, dying, "first come, first served");
}

#[test]
fn many_instances_of_one_keep_no_other_waiting() {
    let mut storm = Storm::of(&[("a", 500), ("b", 1), ("c", 500)], 0);
    while !storm.asked.is_empty() {
        storm.answer(0, true);
    }
    storm.started.clear();
    let many = ["a", "c"].map(|name| (0..500).map(move |n| Id::new(name, n)));
    for id in many.into_iter().flatten().chain([Id::new("b", 0)]) {
        storm.dies(&id);
    }
    while !storm.asked.is_empty() {
        storm.answer(0, true);
    }
    let turn = storm
        .started
        .iter()
        .position(|id| *id.process == *"b")
        .unwrap();
    // Behind those that were being started already, and one of each other.
    assert!(turn <= ONE_AFTER_THE_OTHER + 2, "{turn}");
    assert_eq!(storm.started.len(), 1001);
}

#[test]
fn what_fails_together_comes_back_one_by_one() {
    let waits = |seed: u64| {
        let mut storm = Storm::new(200, seed);
        let ids: Vec<Id> = (0..200).map(|n| Id::new("s", n)).collect();
        // The first restart is at once, the second waits for 100 ms at most.
        for _ in 0..2 {
            while !storm.asked.is_empty() {
                storm.answer(0, true);
            }
            ids.iter().for_each(|id| storm.dies(id));
        }
        let began = storm.now;
        let mut waits = BTreeMap::new();
        while let Some(due) = storm.supervisor.due() {
            storm.now = due;
            storm.tell(Event::Tick);
            while !storm.asked.is_empty() {
                let id = storm.asked[0].0.clone();
                waits.insert(id, due.since(began));
                storm.answer(0, true);
            }
        }
        waits
    };
    let one = waits(1);
    assert_eq!(one.len(), 200);
    let bounds = Duration::from_millis(75)..=Duration::from_millis(100);
    assert!(one.values().all(|wait| bounds.contains(wait)), "{one:?}");
    let different: BTreeSet<_> = one.values().collect();
    assert!(different.len() > 180, "{different:?}");
    assert_eq!(one, waits(1));
    assert_ne!(one, waits(2));
}

#[test]
fn a_pause_that_was_asked_for_is_kept() {
    let mut process = Process::new("s", "/s");
    process.respawn_time = Span::secs(5);
    let config = Config {
        process: vec![process],
        ..Config::default()
    };
    let mut supervisor = Supervisor::new(Arc::new(config));
    supervisor.spread(3);
    let now = Time(1_000_000_000);
    let id = Id::new("s", 0);
    let place = Event::Place {
        id: id.clone(),
        carried: None,
    };
    supervisor.handle(now, place);
    let heard = Heard::NotStarted("no".to_owned());
    let run = 1;
    supervisor.handle(now, Event::Heard { id, run, heard });
    assert_eq!(supervisor.due(), Some(now + Duration::from_secs(5)));
}

proptest! {
    /// Whoever fails again and again takes nobody's turn.
    #[test]
    fn everybody_has_a_turn(
        answers in proptest::collection::vec((any::<usize>(), any::<bool>(), any::<bool>()), 1..600),
        count in 1_u32..80,
    ) {
        let mut storm = Storm::new(count, 7);
        for (which, well, dies) in answers {
            if storm.asked.is_empty() {
                match storm.supervisor.due() {
                    Some(due) => {
                        storm.now = storm.now.max(due);
                        storm.tell(Event::Tick);
                    }
                    None => break,
                }
                continue;
            }
            storm.answer(which, well);
            if dies && let Some(id) = storm.running.keys().next().cloned() {
                storm.dies(&id);
            }
            let seen: BTreeSet<_> = storm.started.iter().collect();
            // A second one comes only when all have had a first one, or are being started.
            let twice = storm.started.len() > seen.len();
            let line = (0..count).map(|n| Id::new("s", n)).filter(|id| !seen.contains(id));
            prop_assert!(!twice || line.count() == 0 || storm.started.len() < count as usize + ONE_AFTER_THE_OTHER);
        }
        while !storm.asked.is_empty() {
            storm.answer(0, true);
        }
        let all: BTreeSet<_> = storm.started.iter().collect();
        prop_assert_eq!(all.len(), count as usize);
        let stuck = storm.supervisor.list(storm.now).filter(|s| s.state == State::Start);
        prop_assert_eq!(stuck.count(), 0);
    }
}
