//! Scenes that operators know.

use std::sync::Arc;
use std::time::Duration;

use super::world::World;
use crate::config::Config;
use crate::core::instance::Phase;
use crate::core::{Action, Event, Exit, Failure, Heard, Id, Order, State, Supervisor, Time};

const SHOP: &str = r#"
[[process]]
name = "web"
path = "/web"
after = ["db"]
[[process]]
name = "db"
path = "/db"
ready = "notify"
"#;

const GROUP: &str = r#"
[[process]]
name = "a"
path = "/a"
error_limit = 3
[[process]]
name = "b"
path = "/b"
[[process]]
name = "c"
path = "/c"
[[group]]
name = "g"
members = ["a", "b", "c"]
critical = ["a"]
"#;

fn ready(world: &mut World, name: &str) {
    let id = Id::new(name, 0);
    let run = world.trees[&id].run;
    let heard = Heard::Ready;
    world.tell(Event::Heard { id, run, heard });
}

fn stop(names: &[&str]) -> Event {
    Event::Order(Order::Stop(
        names.iter().map(|name| (*name).into()).collect(),
    ))
}

fn clear(name: &str) -> Event {
    Event::Order(Order::Clear(vec![name.into()]))
}

/// What was started and signalled since the last time.
fn done(world: &mut World) -> Vec<String> {
    let log = std::mem::take(&mut world.log);
    log.into_iter().filter(|line| !line.contains('→')).collect()
}

#[test]
fn whoever_is_needed_starts_first_and_stops_last() {
    let mut world = World::new(SHOP);
    world.place_all();
    assert_eq!(done(&mut world), ["start db"]);
    assert_eq!(world.state("web"), State::Start);
    ready(&mut world, "db");
    assert_eq!(done(&mut world), ["start web"]);

    world.manners.ignore_term = true;
    world.tell(stop(&["db", "web"]));
    assert_eq!(done(&mut world), ["Stop(Term) web"]);
    world.pass(Duration::from_secs(1));
    assert_eq!(done(&mut world), [""; 0]);
    world.pass(Duration::from_secs(1));
    assert_eq!(done(&mut world), ["Kill web", "Stop(Term) db"]);
    world.pass(Duration::from_secs(2));
    assert_eq!(done(&mut world), ["Kill db"]);
    assert_eq!((world.state("db"), world.trees.len()), (State::Shutdown, 0));
}

#[test]
fn a_db_that_dies_takes_nobody_along() {
    let mut world = World::new(SHOP);
    world.place_all();
    ready(&mut world, "db");
    world.dies("db", Exit::Signal(9));
    assert_eq!(world.state("web"), State::Ok);
    assert_eq!(world.state("db"), State::Respawn);
    world.dies("web", Exit::Code(1));
    assert_eq!(
        world.why("web"),
        "it waits for db, which is not ready (db: respawn)"
    );
}

#[test]
fn a_group_restarts_when_a_critical_member_fails() {
    let mut world = World::new(GROUP);
    world.place_all();
    done(&mut world);
    world.dies("b", Exit::Code(1));
    assert_eq!(done(&mut world), ["start b"]);
    world.manners.ignore_term = true;
    world.dies("a", Exit::Code(1));
    assert_eq!(done(&mut world), ["Stop(Term) b", "Stop(Term) c"]);
    assert_eq!(world.state("b"), State::Shutdown);
    assert!(
        world.why("a").contains("waits for b, c"),
        "{}",
        world.why("a")
    );
    world.pass(Duration::from_secs(2));
    let mut last = done(&mut world);
    assert_eq!(last.split_off(2).len(), 3);
    assert_eq!(last, ["Kill b", "Kill c"]);
}

#[test]
fn a_group_goes_down_with_a_member_and_comes_back_with_it() {
    let mut world = World::new(GROUP);
    world.place_all();
    for _ in 0..3 {
        world.dies("a", Exit::Code(1));
        world.pass(Duration::from_secs(1));
    }
    for name in ["a", "b", "c"] {
        assert_eq!(world.state(name), State::Down, "{name}");
    }
    assert!(world.trees.is_empty());
    world.tell(clear("a"));
    for name in ["a", "b", "c"] {
        assert_eq!(world.state(name), State::Ok, "{name}");
    }
}

#[test]
fn a_program_in_the_background_is_found() {
    let mut world = World::new("[[process]]\nname = \"d\"\npath = \"/d\"\ndaemonize = true");
    world.place_all();
    assert_eq!(world.state("d"), State::Daemonize);
    let first = world.trees[&Id::new("d", 0)].pid;
    world.end(&Id::new("d", 0), Exit::Code(0), true);
    world.tell(Event::Tick);
    assert_eq!(world.state("d"), State::Ok);
    let status = world
        .supervisor
        .status(world.now, &Id::new("d", 0))
        .unwrap();
    assert!(status.main.is_some_and(|main| main.pid != first));
    // Its end is the end of the daemon, whatever its code.
    world.dies("d", Exit::Code(0));
    assert_eq!(status.record.total + 1, 1);
    assert_eq!(world.state("d"), State::Daemonize);
}

#[test]
fn exit_codes_that_mean_something() {
    let mut world = World::new(
        "[[process]]\nname = \"w\"\npath = \"/w\"\nfavoured = 1\nbackup = [2]\n\
         down = [7]\nreject = [8]",
    );
    world.place_all();
    world.dies("w", Exit::Code(8));
    assert_eq!(world.elsewhere, [Id::new("w", 0)]);
    assert_eq!(world.state("w"), State::Respawn);
    // Nobody takes it.
    world.pass(Duration::from_secs(5));
    assert_eq!(world.state("w"), State::Ok);
    world.dies("w", Exit::Code(7));
    assert_eq!(world.state("w"), State::Down);
}

#[test]
fn a_watchdog_and_health_checks_restart() {
    let mut world = World::new(
        "[[process]]\nname = \"w\"\npath = \"/w\"\nwatchdog = 3\n\
         health = { test = { port = 1 }, every = 1, failures = 2 }",
    );
    world.place_all();
    world.pass(Duration::from_millis(3_100));
    let status = |world: &World| {
        world
            .supervisor
            .status(world.now, &Id::new("w", 0))
            .unwrap()
    };
    assert_eq!(status(&world).record.total, 1);
    world.manners.sick = true;
    world.pass(Duration::from_millis(2_100));
    assert_eq!(status(&world).record.total, 2);
    assert!(
        status(&world)
            .why
            .contains("failed its health checks: status 500")
    );
}

#[test]
fn a_node_without_a_lease_stands_still() {
    let mut world = World::new("[[process]]\nname = \"w\"\npath = \"/w\"");
    world.place_all();
    world.fenced = true;
    world.tell(Event::Fence);
    assert!(world.trees[&Id::new("w", 0)].frozen);
    world.fenced = false;
    world.tell(Event::Unfence);
    assert!(!world.trees[&Id::new("w", 0)].frozen);
    world.fenced = true;
    world.tell(Event::Fence);
    world.tell(Event::Lost);
    assert_eq!(world.gone, [Id::new("w", 0)]);
    assert!(world.trees.is_empty());
}

#[test]
fn whose_end_comes_before_word_of_its_start_has_failed() {
    let config: Config = toml::from_str("[[process]]\nname = \"a\"\npath = \"/a\"").unwrap();
    let (config, now) = (Arc::new(config), Time(1_000_000_000));
    let id = Id::new("a", 0);
    let mut first = Supervisor::new(config.clone());
    let carried = None;
    first.handle(
        now,
        Event::Place {
            id: id.clone(),
            carried,
        },
    );
    let kept = first.kept(&id).unwrap().clone();
    assert_eq!(kept.phase, Phase::Starting);
    let run = kept.run;
    let (mut next, actions) = Supervisor::restore(now, config, [(id.clone(), kept)], false);
    assert!(matches!(
        actions[..],
        [Action::Watch { main: None, .. }, ..]
    ));
    let (exit, rest) = (Exit::Code(3), false);
    let heard = Heard::Exited { exit, rest };
    next.handle(
        now,
        Event::Heard {
            id: id.clone(),
            run,
            heard,
        },
    );
    let record = &next.kept(&id).unwrap().record;
    assert_eq!(
        (record.total, &record.last),
        (1, &Some(Failure::Exit(exit)))
    );
}
