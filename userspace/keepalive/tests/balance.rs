//! Which nodes are real servers, whatever is agreed and whatever is known.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Agreed, Change, Entry};
use ssi_keepalive::balance::{Known, Share, Sight, Wanted, wanted};
use ssi_keepalive::config::VirtualService;
use ssi_keepalive::core::{Condition, Id};
use ssi_keepalive::placement::{Life, Member, Move, Owner, Presence, Slot};

const NODES: u16 = 4;
const CONFIG: &str = r#"
[[process]]
name = "web"
path = "/web"
instances = 3
balance = { service = "tcp://10.88.0.100:80", weight = 5 }

[[process]]
name = "old"
path = "/old"
balance = { service = "tcp://10.88.0.100:80", port = 8080, method = "masq" }

[[process]]
name = "other"
path = "/other"
"#;

fn node(number: u16) -> Node {
    Node::new(number).unwrap()
}

fn life(number: u16) -> Life {
    Life {
        node: node(number),
        life: 1,
    }
}

fn slots() -> Vec<Slot> {
    let slot = |name: &str, instance| Slot {
        name: name.into(),
        instance,
    };
    let web = (0..3).map(|instance| slot("web", instance));
    web.chain([slot("old", 0), slot("other", 0)]).collect()
}

fn owner() -> impl Strategy<Value = Owner> {
    (0_u8..5, 1..=NODES, 1..NODES).prop_map(|(kind, one, other)| {
        let other = if other >= one { other + 1 } else { other };
        let (old, new) = (life(one), life(other));
        match kind {
            0 => Owner::Nobody,
            1 => Owner::Leaving(old),
            2 => Owner::Both { old, new },
            3 => Owner::Handing { old, new },
            _ => Owner::Runs(old),
        }
    })
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        1 => Just(Known::Unknown),
        1 => Just(Known::Good(None)),
        3 => Just(Known::Good(Some(Condition::Ready))),
        1 => Just(Known::Good(Some(Condition::Unwell))),
        1 => Just(Known::Good(Some(Condition::Down))),
    ]
}

fn presence() -> impl Strategy<Value = Presence> {
    prop_oneof![
        4 => Just(Presence::Up),
        1 => Just(Presence::Draining),
        1 => Just(Presence::Lost),
        1 => Just(Presence::Gone),
    ]
}

/// Brings an assignment about by moves, as the log does.
fn agreed(owners: &[Owner]) -> Agreed {
    let mut agreed = Agreed::default();
    let change = Change {
        put: CONFIG.to_owned(),
        ..Change::default()
    };
    agreed.apply(&Entry::Change(change)).unwrap();
    for (slot, owner) in slots().into_iter().zip(owners) {
        let give = |node| Move::Give {
            slot: slot.clone(),
            node,
            from: Owner::Nobody,
        };
        let take = |node| Move::Take {
            slot: slot.clone(),
            node,
        };
        let overlap = |old, new| Move::Overlap {
            slot: slot.clone(),
            old,
            new,
        };
        let moves = match *owner {
            Owner::Nobody => vec![],
            Owner::Runs(node) => vec![give(node)],
            Owner::Leaving(node) => vec![give(node), take(node)],
            Owner::Both { old, new } => vec![give(old), overlap(old, new)],
            Owner::Handing { old, new } => vec![give(old), overlap(old, new), take(old)],
        };
        let carried = Vec::new();
        agreed.apply(&Entry::Moves { moves, carried }).unwrap();
        assert_eq!(agreed.assignment.owner(&slot), *owner);
    }
    agreed
}

fn members(presences: &[Presence]) -> Vec<Member> {
    let member = |(number, presence): (u16, &Presence)| Member {
        id: life(number),
        presence: *presence,
        load: 0,
        root: false,
    };
    (1..).zip(presences).map(member).collect()
}

fn service() -> VirtualService {
    "tcp://10.88.0.100:80".parse().unwrap()
}

fn see(
    agreed: &Agreed,
    members: &[Member],
    known: &BTreeMap<(Node, Id), Known>,
    leaving: &BTreeSet<(Slot, Life)>,
) -> Wanted {
    let asked = |node, id: &Id| {
        let found = known.get(&(node, id.clone())).copied();
        found.unwrap_or(Known::Good(None))
    };
    let all = wanted(&Sight {
        agreed,
        members,
        known: &asked,
        leaving,
    });
    assert_eq!(all.len(), 1);
    all[&service()].clone()
}

proptest! {
    #[test]
    fn only_what_is_ready_and_stays_takes_anything(
        owners in vec(owner(), 5), presences in vec(presence(), usize::from(NODES)),
        conditions in btree_map((1..=NODES, 0_usize..5), known(), 0..20),
        leaves in btree_set((0_usize..5, 1..=NODES), 0..3),
    ) {
        let (agreed, members) = (agreed(&owners), members(&presences));
        let slots = slots();
        let id = |n: usize| Id::new(&slots[n].name, slots[n].instance);
        let conditions: BTreeMap<(Node, Id), Known> = conditions
            .into_iter()
            .map(|((number, n), known)| ((node(number), id(n)), known))
            .collect();
        let leaving: BTreeSet<(Slot, Life)> =
            leaves.into_iter().map(|(n, number)| (slots[n].clone(), life(number))).collect();
        let is = see(&agreed, &members, &conditions, &leaving);
        let presence = |number: u16| presences[usize::from(number - 1)];
        for number in 1..=NODES {
            for (port, mine) in [(80, 0..3), (8080, 3..4)] {
                let server = is.servers.get(&(node(number), port)).copied();
                let held = mine.clone().filter(|n| owners[*n].lives().any(|l| l == life(number)));
                let held: Vec<usize> = held.collect();
                let there = !held.is_empty() && presence(number) != Presence::Gone;
                prop_assert_eq!(server.is_some(), there);
                let Some(server) = server else { continue };
                let stays = |n: &&usize| {
                    let key = (slots[**n].clone(), life(number));
                    let up = matches!(presence(number), Presence::Up | Presence::Draining);
                    up && owners[**n].has(life(number)) && !leaving.contains(&key)
                };
                let good = |n: &usize| {
                    let key = (node(number), id(*n));
                    conditions.get(&key).copied().unwrap_or(Known::Good(None))
                };
                let staying: Vec<Known> = held.iter().filter(stays).map(good).collect();
                let ready = staying.contains(&Known::Good(Some(Condition::Ready)));
                let unwell = staying.contains(&Known::Good(Some(Condition::Unwell)));
                let unknown = staying.contains(&Known::Unknown);
                match server.share {
                    Share::Weight(weight) => {
                        prop_assert!(ready || unwell);
                        prop_assert_eq!(weight, if port == 80 { 5 } else { 1 });
                    }
                    Share::Same => prop_assert!(unknown && !ready),
                    Share::Nothing => prop_assert!(!ready && !unknown),
                }
            }
        }
    }
}

#[test]
fn in_with_readiness_and_out_before_the_end() {
    let one = |owner: Owner, condition, leaving: bool| {
        let agreed = agreed(&[owner]);
        let members = members(&[Presence::Up; 4]);
        let id = Id::new("web", 0);
        let known = [1, 2].map(|n| ((node(n), id.clone()), Known::Good(condition)));
        let leaving = if leaving {
            BTreeSet::from([(slots()[0].clone(), life(1))])
        } else {
            BTreeSet::new()
        };
        let is = see(&agreed, &members, &known.into(), &leaving);
        let servers = is.servers.into_iter();
        let servers = servers.map(|((node, _), server)| (node.get(), server.share));
        servers.collect::<Vec<_>>()
    };
    let (old, new) = (life(1), life(2));
    let ready = Some(Condition::Ready);
    assert_eq!(one(Owner::Runs(old), None, false), [(1, Share::Nothing)]);
    assert_eq!(one(Owner::Runs(old), ready, false), [(1, Share::Weight(5))]);
    assert_eq!(one(Owner::Runs(old), ready, true), [(1, Share::Nothing)]);
    assert_eq!(
        one(Owner::Leaving(old), ready, false),
        [(1, Share::Nothing)]
    );
    assert_eq!(one(Owner::Nobody, ready, false), []);
    let both = Owner::Both { old, new };
    assert_eq!(
        one(both, ready, false),
        [(1, Share::Weight(5)), (2, Share::Weight(5))]
    );
    assert_eq!(
        one(both, ready, true),
        [(1, Share::Nothing), (2, Share::Weight(5))]
    );
    let handing = Owner::Handing { old, new };
    assert_eq!(
        one(handing, ready, false),
        [(1, Share::Nothing), (2, Share::Weight(5))]
    );
}

#[test]
fn unwell_ones_serve_only_if_nobody_is_well() {
    let agreed = agreed(&[Owner::Runs(life(1)), Owner::Runs(life(2))]);
    let members = members(&[Presence::Up; 4]);
    let shares = |first, second| {
        let known = BTreeMap::from([
            ((node(1), Id::new("web", 0)), Known::Good(first)),
            ((node(2), Id::new("web", 1)), Known::Good(second)),
        ]);
        let is = see(&agreed, &members, &known, &BTreeSet::new());
        is.servers
            .values()
            .map(|server| server.share)
            .collect::<Vec<_>>()
    };
    let (ready, unwell) = (Some(Condition::Ready), Some(Condition::Unwell));
    assert_eq!(shares(ready, unwell), [Share::Weight(5), Share::Nothing]);
    assert_eq!(shares(unwell, unwell), [Share::Weight(5), Share::Weight(5)]);
    assert_eq!(shares(unwell, None), [Share::Weight(5), Share::Nothing]);
}
