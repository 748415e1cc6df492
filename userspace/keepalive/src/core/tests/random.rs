//! Whatever happens, in whatever order.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::world::{Manners, World};
use crate::core::{Event, Exit, Heard, Id, Order, State};
use crate::node::Node;

/// A bit of everything: dependencies, a group, a daemon, checks, exit codes that mean
/// something, some that may move and some that may not.
const CONFIG: &str = r#"
[[process]]
name = "db"
path = "/db"
ready = { port = 5432 }
health = { test = { port = 5432 }, every = 5, failures = 2 }
[[process]]
name = "web"
path = "/web"
after = ["db"]
down = [7]
reject = [8]
favoured = 1
backup = "any"
[[process]]
name = "bg"
path = "/bg"
daemonize = true
error_limit = 3
favoured = "all"
[[process]]
name = "a"
path = "/a"
watchdog = 3
after = ["web"]
[[process]]
name = "b"
path = "/b"
ready = "notify"
ready_timeout = 4
[[process]]
name = "c"
path = "/c"
respawn_time = 1
term_wait = 0
[[group]]
name = "g"
members = ["a", "b", "c"]
critical = ["a", "b"]
"#;

const NAMES: [&str; 6] = ["db", "web", "bg", "a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Dies { who: usize, exit: Exit, rest: bool },
    RestEnds(usize),
    Says { who: usize, ready: bool },
    Order { what: u8, who: Vec<usize> },
    Place(usize),
    Release(usize),
    Manners { bits: u8 },
    Lease(u8),
    SupervisorDies,
    Elsewhere { who: usize, ready: bool },
    NodeDown,
    Adopt { who: usize, is_there: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..NAMES.len();
    let exit = prop_oneof![
        prop_oneof![Just(0), Just(1), Just(7), Just(8)].prop_map(Exit::Code),
        Just(Exit::Signal(11)),
    ];
    prop_oneof![
        4 => prop_oneof![0_u64..3_000, 0_u64..60_000].prop_map(Step::Pass),
        6 => (who.clone(), exit, any::<bool>())
            .prop_map(|(who, exit, rest)| Step::Dies { who, exit, rest }),
        2 => who.clone().prop_map(Step::RestEnds),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, ready)| Step::Says { who, ready }),
        4 => (0_u8..7, vec(who.clone(), 1..4)).prop_map(|(what, who)| Step::Order { what, who }),
        2 => who.clone().prop_map(Step::Place),
        1 => who.clone().prop_map(Step::Release),
        2 => (0_u8..16).prop_map(|bits| Step::Manners { bits }),
        2 => (0_u8..3).prop_map(Step::Lease),
        2 => Just(Step::SupervisorDies),
        1 => (who, any::<bool>()).prop_map(|(who, ready)| Step::Elsewhere { who, ready }),
        1 => Just(Step::NodeDown),
        2 => (0..NAMES.len(), any::<bool>())
            .prop_map(|(who, is_there)| Step::Adopt { who, is_there }),
    ]
}

fn other() -> Node {
    Node::new(2).unwrap()
}

fn names(who: &[usize]) -> Vec<std::sync::Arc<str>> {
    who.iter().map(|n| NAMES[*n].into()).collect()
}

fn take(world: &mut World, step: Step) {
    let id = |who: usize| Id::new(NAMES[who], 0);
    match step {
        Step::Pass(ms) => world.pass(Duration::from_millis(ms)),
        Step::Dies { who, exit, rest } => {
            let frozen = world.trees.get(&id(who)).is_some_and(|tree| tree.frozen);
            if !frozen {
                world.end(&id(who), exit, rest);
            }
            world.tell(Event::Tick);
        }
        Step::RestEnds(who) => {
            if world
                .trees
                .get(&id(who))
                .is_some_and(|t| !t.main && !t.frozen)
            {
                world.dies(NAMES[who], Exit::Code(0));
            }
        }
        Step::Says { who, ready } => {
            if let Some(run) = world.trees.get(&id(who)).map(|tree| tree.run) {
                let heard = if ready { Heard::Ready } else { Heard::Alive };
                world.tell(Event::Heard {
                    id: id(who),
                    run,
                    heard,
                });
            }
        }
        Step::Order { what, who } => {
            let names = names(&who);
            let order = match what {
                0 => Order::Start(names),
                1 => Order::Stop(names),
                2 => Order::Restart(names),
                3 => Order::Clear(names),
                4 => Order::Quiesce(who.len() > 2),
                5 => Order::Remove {
                    id: id(who[0]),
                    kill: true,
                },
                _ => Order::Remove {
                    id: id(who[0]),
                    kill: false,
                },
            };
            world.tell(Event::Order(order));
        }
        Step::Place(who) => world.tell(Event::Place {
            id: id(who),
            carried: None,
        }),
        Step::Release(who) => world.tell(Event::Release(id(who))),
        Step::Manners { bits } => {
            world.manners = Manners {
                ignore_term: bits & 1 > 0,
                cant_start: bits & 2 > 0,
                sick: bits & 4 > 0,
                silent: bits & 8 > 0,
            }
        }
        Step::Lease(0) => {
            world.fenced = false;
            world.tell(Event::Unfence);
        }
        Step::Lease(1) => {
            world.fenced = true;
            world.tell(Event::Fence);
        }
        Step::Lease(_) => {
            world.fenced = true;
            world.tell(Event::Lost);
        }
        Step::SupervisorDies => world.supervisor_dies(),
        Step::Elsewhere { who, ready } => world.tell(Event::Elsewhere {
            process: NAMES[who].into(),
            node: other(),
            ready,
        }),
        Step::Adopt { who, is_there } => world.adopt(id(who), is_there),
        Step::NodeDown => world.tell(Event::NodeDown(other())),
    }
}

/// Nothing bad happens any more, and operators have put everything right.
fn heal(world: &mut World) {
    world.manners = Manners::default();
    world.fenced = false;
    world.tell(Event::Unfence);
    world.tell(Event::Order(Order::Quiesce(false)));
    // What was leaving leaves first.
    world.pass(Duration::from_secs(60));
    world.place_all();
    let all = names(&[0, 1, 2, 3, 4, 5]);
    world.tell(Event::Order(Order::Clear(all.clone())));
    world.tell(Event::Order(Order::Start(all)));
    for _ in 0..200 {
        for name in ["a", "b"] {
            let id = Id::new(name, 0);
            if let Some(run) = world.trees.get(&id).map(|tree| tree.run) {
                for heard in [Heard::Ready, Heard::Alive] {
                    world.tell(Event::Heard {
                        id: id.clone(),
                        run,
                        heard,
                    });
                }
            }
        }
        // A daemon's first process ends when the second one is there.
        if world.state("bg") == State::Daemonize {
            world.end(&Id::new("bg", 0), Exit::Code(0), true);
            world.tell(Event::Tick);
        }
        world.pass(Duration::from_secs(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn everything_runs_again_once(steps in vec(step(), 0..60)) {
        let mut world = World::new(CONFIG);
        world.place_all();
        for step in steps {
            take(&mut world, step);
        }
        heal(&mut world);
        for name in NAMES {
            let why = world.why(name);
            prop_assert_eq!(world.state(name), State::Ok, "{}: {}", name, why);
            let tree = &world.trees[&Id::new(name, 0)];
            prop_assert!(tree.main && !tree.frozen, "{}: {:?}", name, tree);
        }
    }
}
