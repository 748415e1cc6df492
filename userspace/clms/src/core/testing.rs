//! Small views for tests.

use std::collections::BTreeSet;

use super::command::{Command, Wish};
use super::engine::{Engine, Start};
use super::member::{Candidate, Facts};
use super::{NodeId, Number, State, Time, Timing, View};

/// A node's number, for sure.
pub(crate) fn number(number: u16) -> Number {
    Number::new(number).expect("not 0")
}

/// A node's first life.
pub(crate) fn id(of: u16) -> NodeId {
    NodeId {
        number: number(of),
        incarnation: 1,
    }
}

/// Somebody who wants to join.
pub(crate) fn candidate(of: u16) -> Candidate {
    let [high, low] = of.to_be_bytes();
    let mut key = [0; 32];
    key[..2].copy_from_slice(&[high, low]);
    Candidate {
        name: format!("node{of}"),
        addresses: vec![[10, 0, high, low].into()],
        key,
        life: 1,
        potential_master: true,
        facts: Facts::default(),
    }
}

/// A view in which nodes 1 to `nodes` are up.
pub(crate) fn view_of(nodes: u16) -> View {
    let mut view = View::default();
    view.apply(&Command::Found {
        cluster: "test".to_owned(),
        identity: 7,
        max_nodes: crate::core::MAX_NODES,
        number: number(1),
        candidate: candidate(1),
        probe_key: [1, 2],
    })
    .expect("an empty view can be founded");
    for of in 2..=nodes {
        view.apply(&Command::Join {
            nodes: vec![Wish {
                number: Some(number(of)),
                candidate: candidate(of),
            }],
        })
        .expect("the number is free");
    }
    if nodes > 1 {
        view.apply(&Command::Step {
            nodes: (2..=nodes).map(id).collect(),
            to: State::Up,
        })
        .expect("they are coming up");
    }
    view
}

/// A node that has been a member of `view` for a while.
pub(crate) fn engine(now: Time, own: NodeId, view: View) -> Engine {
    Engine::new(
        now,
        Start {
            timing: Timing::default(),
            candidate: view.members[&own.number].candidate.clone(),
            number: Some(own.number),
            view,
            id: Some(own),
            subsystems: Vec::new(),
            resources: BTreeSet::new(),
            fencing: false,
            entropy: Box::new(|| 7),
        },
    )
}
