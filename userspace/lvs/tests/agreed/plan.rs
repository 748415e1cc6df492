//! What happens to the nodes.

use proptest::collection::{btree_set, hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use ssi_api::lvs::{Command, Scheduler, ServerSpec};
use ssi_lvs::core::{Absent, Environment, Route};

use crate::maps::{add, command, real, spec, vip};
use crate::node::WRITES;

/// How many nodes there are; the first is always there.
const NODES: usize = 4;

#[derive(Clone, Debug)]
pub struct Plan {
    /// What each node has before there is a cluster.
    pub own: Vec<Vec<Command>>,
    pub events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// An entry of the log. Perhaps one node's daemon dies after so many writes.
    Entry {
        absent: Option<Absent>,
        told: Vec<Vec<Command>>,
        cut: Option<(usize, usize)>,
    },
    /// A node's surroundings change.
    Around(usize, Environment),
    /// Its daemon is started anew.
    Restart(usize),
    /// Its maps are gone.
    Reboot(usize),
    /// It takes in no entries until it is back.
    Away(usize),
    Back(usize),
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let own = vec(vec(told(), 0..6), NODES);
    (own, vec(event(), 4..20)).prop_map(|(own, events)| Plan { own, events })
}

/// Mostly about slot tables.
fn told() -> impl Strategy<Value = Command> {
    let weights = (1..4_u8, 1..6_u8, 0..6_u32);
    prop_oneof![
        1 => command(),
        1 => (1..4_u8).prop_map(|n| add(n, Scheduler::Slot)),
        1 => (1..4_u8).prop_map(|n| Command::EditService { service: vip(n), spec: spec(Scheduler::Slot) }),
        4 => weights.clone().prop_map(|(n, server, weight)| Command::AddServer {
            service: vip(n),
            server: real(server),
            spec: ServerSpec { weight, ..ServerSpec::default() },
        }),
        3 => weights.prop_map(|(n, server, weight)| Command::EditServer {
            service: vip(n),
            server: real(server),
            spec: ServerSpec { weight, ..ServerSpec::default() },
        }),
        1 => (1..4_u8, 1..6_u8).prop_map(|(n, server)| Command::DeleteServer {
            service: vip(n),
            server: real(server),
        }),
    ]
}

fn absent() -> impl Strategy<Value = Absent> {
    let some = || btree_set(1..6_u8, 0..3);
    let all = Just((1..6).collect());
    (prop_oneof![4 => some(), 1 => all], some()).prop_map(|(leaving, down)| Absent {
        leaving: leaving.difference(&down).map(|n| real(*n).addr).collect(),
        down: down.iter().map(|n| real(*n).addr).collect(),
    })
}

fn surroundings() -> impl Strategy<Value = Environment> {
    let address = || (1..6_u8).prop_map(|n| real(n).addr);
    let route = (1..4_u32, any::<bool>()).prop_map(|(ifindex, known)| Route {
        ifindex,
        own_mac: [2; 6],
        next_hop: known.then_some([4; 6]),
        source: [10, 77, 0, 100].into(),
        mtu: 1500,
    });
    let cvip = (1..4_u8).prop_map(|n| [10, 88, 0, n].into());
    (
        hash_set(address(), 0..2),
        hash_set(address(), 0..5),
        hash_map(cvip, any::<bool>(), 0..3),
        hash_map(address(), route, 0..5),
    )
        .prop_map(|(own, nodes, cvips, routes)| Environment {
            own,
            nodes,
            cvips,
            routes,
            ..Environment::default()
        })
}

fn event() -> impl Strategy<Value = Event> {
    let any_node = || 0..NODES;
    let other = || 1..NODES;
    let cut = option::weighted(0.3, (other(), 0..WRITES));
    let lists = || vec(vec(told(), 1..3), 1..3);
    let entry = prop_oneof![
        3 => (Just(None), lists()),
        2 => (absent().prop_map(Some), Just(Vec::new())),
        1 => (absent().prop_map(Some), lists()),
    ];
    prop_oneof![
        8 => (entry, cut).prop_map(|((absent, told), cut)| Event::Entry { absent, told, cut }),
        1 => (any_node(), surroundings()).prop_map(|(n, around)| Event::Around(n, around)),
        1 => any_node().prop_map(Event::Restart),
        2 => any_node().prop_map(Event::Reboot),
        2 => other().prop_map(Event::Away),
        2 => other().prop_map(Event::Back),
    ]
}
