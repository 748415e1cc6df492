//! Whatever entries the log brings, in whatever order: the view stays one that can be.

use std::collections::BTreeSet;

use proptest::prelude::*;
use ssi_clms::core::command::{Command, MOST_TOLD, Wish};
use ssi_clms::core::member::{Candidate, Facts, Why};
use ssi_clms::core::message::Message;
use ssi_clms::core::witness::Witness;
use ssi_clms::core::{NodeId, Number, State, View};

const NODES: u16 = 6;

fn number() -> impl Strategy<Value = Number> {
    (1..=NODES).prop_map(|number| Number::new(number).expect("not 0"))
}

fn id() -> impl Strategy<Value = NodeId> {
    (number(), 1..4_u32).prop_map(|(number, incarnation)| NodeId {
        number,
        incarnation,
    })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    (0..8_u8, 0..3_u64).prop_map(|(key, life)| Candidate {
        name: format!("node{key}"),
        addresses: Vec::new(),
        key: [key; 32],
        life,
        potential_master: true,
        facts: Facts::default(),
    })
}

fn wish() -> impl Strategy<Value = Wish> {
    (proptest::option::of(number()), candidate())
        .prop_map(|(number, candidate)| Wish { number, candidate })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::NeverUp),
        Just(State::ComingUp),
        Just(State::Up),
        Just(State::Shutdown),
        Just(State::GoingDown),
        Just(State::KCleanup),
        Just(State::UCleanup),
        Just(State::Down),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let some = |most| proptest::collection::vec(id(), 0..most);
    prop_oneof![
        1 => (number(), candidate()).prop_map(|(number, candidate)| Command::Found {
            cluster: "c".to_owned(),
            identity: 1,
            max_nodes: NODES,
            number,
            candidate,
            probe_key: [1, 2],
        }),
        4 => proptest::collection::vec(wish(), 0..3).prop_map(|nodes| Command::Join { nodes }),
        1 => (number(), candidate(), 0..40_u64)
            .prop_map(|(number, candidate, epoch)| Command::Return { number, candidate, epoch }),
        6 => (some(3), state()).prop_map(|(nodes, to)| Command::Step { nodes, to }),
        2 => some(3).prop_map(|nodes| Command::Remove {
            nodes: nodes.into_iter().map(|id| (id, Why::Unreachable)).collect(),
            probe_key: [3, 4],
        }),
        1 => (id(), 1..4_u64).prop_map(|(node, term)| Command::Master { node, term }),
        3 => ("[ab]", proptest::option::of(id()))
            .prop_map(|(resource, owner)| Command::Assign { resource, owner }),
        1 => number().prop_map(|number| Command::Forget { number }),
        1 => (proptest::collection::vec(number(), 1..4), any::<bool>())
            .prop_map(|(voters, witness)| Command::Voters { voters, witness }),
        1 => proptest::option::of(0..3_u8).prop_map(|key| Command::Witness {
            witness: key.map(|key| Witness { key: [key; 32], addresses: Vec::new() }),
        }),
        1 => (0..2 * MOST_TOLD).prop_map(|bytes| Command::Tell {
            subsystem: "lvs".to_owned(),
            body: vec![7; bytes],
        }),
    ]
}

/// What holds for every view.
fn is_sound(view: &View) {
    let mut keys = BTreeSet::new();
    for (number, member) in &view.members {
        assert_eq!(*number, member.id.number);
        assert!(number.get() <= view.max_nodes);
        assert!(member.since <= view.epoch && member.id.incarnation >= 1);
        assert!(keys.insert(member.candidate.key), "one number a key");
    }
    assert!(view.voters_since <= view.epoch);
    let seated = view.witness.as_ref();
    assert!(
        seated.is_none_or(|seated| seated.votes || !seated.goes),
        "gone once it does not vote"
    );
    for held in view.owners.values() {
        assert!(held.since <= view.epoch);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_entry_counts_once_or_not_at_all(
        commands in proptest::collection::vec(command(), 1..60)
    ) {
        let mut view = View::default();
        for command in &commands {
            let before = view.clone();
            match view.apply(command) {
                Err(_) => prop_assert_eq!(&view, &before, "refused: nothing changed"),
                Ok(()) => {
                    prop_assert_eq!(view.epoch, before.epoch + 1);
                    if let Command::Forget { number } = command {
                        prop_assert!(!before.voters.contains(number), "a voter is not forgotten");
                    }
                    if let Command::Tell { body, .. } = command {
                        prop_assert!(body.len() <= MOST_TOLD);
                        let told = View { epoch: view.epoch, ..before.clone() };
                        prop_assert_eq!(&told, &view, "only the epoch goes on");
                    }
                    for t in view.transitions(&before) {
                        let same_life = before.members.get(&t.node.number)
                            .is_none_or(|old| old.id == t.node);
                        prop_assert!(
                            t.from.leads_to(t.to) || before.epoch == 0
                                || matches!(command, Command::Return { .. }),
                            "{} to {}", t.from, t.to
                        );
                        prop_assert!(same_life || t.to == State::ComingUp);
                    }
                    for (resource, held) in &view.owners {
                        let old = before.owners.get(resource).and_then(|held| held.owner);
                        if let (Some(old), Some(new)) = (old, held.owner) {
                            prop_assert!(old == new || !before.has(old), "a member gives back first");
                        }
                    }
                }
            }
            is_sound(&view);
        }
        // What one node writes another reads.
        let bytes = postcard::to_stdvec(&view).unwrap();
        prop_assert_eq!(postcard::from_bytes::<View>(&bytes).unwrap(), view);
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(message) = postcard::from_bytes::<Message>(&bytes) {
            let again = postcard::to_stdvec(&message).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Message>(&again).unwrap(), message);
        }
    }
}
