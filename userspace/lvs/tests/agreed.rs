//! Nodes that differ in whatever is a node's own take in the same log: after every entry
//! they have the same slot tables, by the servers' names, whatever else happened to them.
//!
//! What happens: `agreed/plan.rs`; a node: `agreed/node.rs`; what must hold of a table:
//! `agreed/judge.rs`.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

mod maps;

#[path = "agreed/judge.rs"]
mod judge;
#[path = "agreed/node.rs"]
mod node;
#[path = "agreed/plan.rs"]
mod plan;

use proptest::prelude::*;
use ssi_api::lvs::{Command, Scheduler};
use ssi_lvs::core::{Absent, Agreed, Model, Step, Unusable};

use crate::judge::Judge;
use crate::maps::{Maps, TUNING, add, add_server, real, vip};
use crate::node::Node;
use crate::plan::{Event, Plan, plan};

fn play(plan: &Plan) -> Result<(), TestCaseError> {
    let mut nodes: Vec<Node> = (0..)
        .zip(&plan.own)
        .map(|(n, own)| Node::new(n, own))
        .collect();
    let mut step = Step {
        epoch: 1,
        told: vec![vec![Command::Clear], founding()],
        ..Step::default()
    };
    let _ = nodes[0].take(&step, usize::MAX);
    let founded = nodes[0].export();
    for node in &mut nodes[1..] {
        node.import(&founded)?;
    }
    let mut judge = Judge::default();
    judge.look(&nodes[0].model.export(), &step)?;
    for event in &plan.events {
        match event {
            Event::Entry { absent, told, cut } => {
                step.epoch += 1;
                if let Some(absent) = absent {
                    step.absent = absent.clone();
                }
                step.told.clone_from(told);
                let answers = nodes[0].take(&step, usize::MAX);
                for (at, node) in nodes.iter_mut().enumerate().skip(1) {
                    if node.away {
                        continue;
                    }
                    let writes = cut.filter(|(who, _)| *who == at).map(|(_, writes)| writes);
                    let others = node.take(&step, writes.unwrap_or(usize::MAX));
                    prop_assert_eq!(&others, &answers, "node {}", at);
                    if writes.is_some() {
                        node.restart()?;
                    }
                }
            }
            Event::Around(at, surroundings) => nodes[*at].surround(surroundings),
            Event::Restart(at) => nodes[*at].restart()?,
            Event::Reboot(at) => nodes[*at].reboot()?,
            Event::Away(at) => nodes[*at].away = true,
            Event::Back(at) => {
                let now = nodes[0].export();
                nodes[*at].import(&now)?;
            }
        }
        let agreed = Agreed::read(&nodes[0].export()).expect("just written");
        judge.look(&agreed, &step)?;
        for node in nodes.iter().filter(|node| !node.away) {
            prop_assert_eq!(&node.model.export(), &agreed, "node {}", node.number);
            node.maps_agree(&judge)?;
        }
    }
    Ok(())
}

proptest! {
    // Each step towards a smaller failure takes a second.
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn all_nodes_have_the_same_slot_tables(plan in plan()) {
        play(&plan)?;
    }

    #[test]
    fn hostile_bytes_change_nothing_or_make_a_sound_model(
        cuts in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        shorter in any::<Option<usize>>(),
    ) {
        let mut model = Model::new(TUNING);
        let mut maps = Maps::new();
        maps.carry_out(&model.apply(&three()).expect("legal"));
        let mut bytes = model.export().write().expect("JSON");
        for (at, with) in cuts {
            let at = at % bytes.len();
            bytes[at] = with;
        }
        if let Some(len) = shorter {
            bytes.truncate(len % (bytes.len() + 1));
        }
        let before = model.export();
        match Agreed::read(&bytes).map(|agreed| model.import(&agreed)) {
            Ok(Ok(writes)) => maps.carry_out(&writes),
            Ok(Err(_)) | Err(_) => prop_assert_eq!(model.export(), before),
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Agreed::read(&bytes).is_err());
    }
}

/// What the cluster begins with.
fn founding() -> Vec<Command> {
    let mut list = vec![add(1, Scheduler::Slot), add(2, Scheduler::Slot)];
    for n in 1..=4 {
        list.push(add_server(1, n, 1));
        list.push(add_server(2, n, u32::from(n)));
    }
    list
}

fn three() -> Vec<Command> {
    let mut list = vec![add(1, Scheduler::Slot), add(2, Scheduler::Wrr)];
    for n in 1..=3 {
        list.push(add_server(1, n, u32::from(n)));
        list.push(add_server(2, n, u32::from(n)));
    }
    list
}

/// The text of an export with one value replaced.
fn with(agreed: &Agreed, path: &str, value: serde_json::Value) -> Vec<u8> {
    let mut json = serde_json::to_value(agreed).expect("JSON");
    *json.pointer_mut(path).expect("is there") = value;
    serde_json::to_vec(&json).expect("JSON")
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let mut model = Model::new(TUNING);
    model.apply(&three()).expect("legal");
    let agreed = model.export();
    let refused = |bytes: &[u8]| {
        let mut other = Model::new(TUNING);
        let result = Agreed::read(bytes).and_then(|agreed| other.import(&agreed));
        assert_eq!(other.size(), (0, 0), "nothing changed");
        result.expect_err("it can't be").to_string()
    };
    let other = "eJztwTEBAAAAwqD1T20ND6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (path, value, reason) in [
        ("/version", 9.into(), "format version 9"),
        ("/services/0/slots", "????".into(), "nvalid"),
        (
            "/services/0/slots",
            "AAAA".into(),
            "a slot table is damaged",
        ),
        ("/services/0/slots", other.into(), "a slot table is damaged"),
        (
            "/services/0/servers/2/1/weight",
            70_000.into(),
            "out of range",
        ),
        (
            "/services/1/name/address/addr",
            "224.0.0.1".into(),
            "multicast",
        ),
        (
            "/services/1/name/address/addr",
            "10.88.0.1".into(),
            "exists already",
        ),
    ] {
        let said = refused(&with(&agreed, path, value));
        assert!(said.contains(reason), "{path}: {said}");
    }
    let mut fewer = serde_json::to_value(&agreed).expect("JSON");
    fewer["services"][0]["servers"]
        .as_array_mut()
        .expect("a list")
        .pop();
    let said = refused(&serde_json::to_vec(&fewer).expect("JSON"));
    assert!(said.contains("a slot belongs to server 3, of 2"), "{said}");
    let long = vec![b' '; ssi_lvs::core::MOST + 1];
    assert!(matches!(Agreed::read(&long), Err(Unusable::TooLong(_))));

    let step = Step {
        epoch: 3,
        ..Step::default()
    };
    model.step(&step);
    let old = model.import(&agreed).expect_err("it is older");
    assert!(matches!(old, Unusable::Old { of: 0, at: 3 }), "{old}");
}

#[test]
fn taking_over_what_is_there_already_writes_nothing() {
    let mut model = Model::new(TUNING);
    model.apply(&three()).expect("legal");
    let agreed = model.export();
    assert_eq!(model.import(&agreed).expect("its own"), []);
}

#[test]
fn a_drained_node_gives_second_chances_and_a_dead_one_none() {
    let mut model = Model::new(TUNING);
    model.apply(&three()).expect("legal");
    let mut judge = Judge::default();
    let mut step = Step::default();
    let absent = |leaving: &[u8], down: &[u8]| Absent {
        leaving: leaving.iter().map(|n| real(*n).addr).collect(),
        down: down.iter().map(|n| real(*n).addr).collect(),
    };
    let mut previous = |model: &mut Model, absent| {
        step.epoch += 1;
        step.absent = absent;
        model.step(&step);
        judge.look(&model.export(), &step).expect("is sound");
        let owners = judge.owners(&vip(1));
        owners
            .iter()
            .filter(|(_, previous)| *previous == Some(real(3)))
            .count()
    };
    assert_eq!(previous(&mut model, absent(&[], &[])), 0);
    // Half of the weights, and so half of the slots, were its own.
    assert_eq!(previous(&mut model, absent(&[3], &[])), 32_768);
    assert_eq!(previous(&mut model, absent(&[], &[3])), 0);
    assert_eq!(previous(&mut model, absent(&[], &[])), 0);
}

#[test]
fn an_export_is_compact() {
    let mut model = Model::new(TUNING);
    model.apply(&[add(1, Scheduler::Slot)]).expect("legal");
    let mut sizes = Vec::new();
    for n in 1..=15 {
        let weight = 1 + u32::from(n % 3);
        model.apply(&[add_server(1, n, weight)]).expect("legal");
        sizes.push(model.export().write().expect("JSON").len());
    }
    assert!(sizes[0] < 3_000, "one server: {sizes:?}");
    // 15 changes, one after another: every slot has its own history by then.
    assert!(sizes[14] < 192 << 10, "{sizes:?}");
    println!("bytes with 1 to 15 servers: {sizes:?}");
}
