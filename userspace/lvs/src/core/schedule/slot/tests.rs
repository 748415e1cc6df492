use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::core::schedule::maglev;

fn member(index: u16, weight: u32) -> Member {
    let [high, low] = index.to_be_bytes();
    Member {
        index,
        weight,
        name: ServerName {
            addr: [10, 0, high, low].into(),
            port: 80,
        },
    }
}

fn exact(members: &[Member], index: u16) -> f64 {
    let sum: u32 = members.iter().map(|m| m.weight).sum();
    let weight = members
        .iter()
        .find(|m| m.index == index)
        .map_or(0, |m| m.weight);
    f64::from(weight) / f64::from(sum.max(1)) * f64::from(SLOTS)
}

/// The table, but that those who are no members own nothing.
fn without_strangers(table: &SlotTable, members: &[Member]) -> SlotTable {
    let known = |index| members.iter().any(|m| m.index == index);
    let kept = |index| if known(index) { index } else { 0 };
    let entries = table.entries.iter();
    let entries = entries.map(|entry| {
        let (current, previous) = (table::current(*entry), table::previous(*entry));
        table::entry(kept(current), kept(previous))
    });
    SlotTable::from_entries(entries.collect())
}

/// How many slots must move between two assignments.
fn necessary(before: &BTreeMap<u16, u32>, after: &BTreeMap<u16, u32>) -> u32 {
    let gains = after
        .iter()
        .map(|(index, n)| n.saturating_sub(before.get(index).copied().unwrap_or(0)));
    gains.sum()
}

#[derive(Clone, Debug)]
enum Edit {
    Add(u16, u32),
    Remove(usize),
    Reweight(usize, u32),
    DrainAll,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let weight = || prop_oneof![1 => Just(0_u32), 4 => 0..200_u32];
    let edit = prop_oneof![
        4 => (1..500_u16, weight()).prop_map(|(index, weight)| Edit::Add(index, weight)),
        3 => any::<usize>().prop_map(Edit::Remove),
        3 => (any::<usize>(), weight()).prop_map(|(at, weight)| Edit::Reweight(at, weight)),
        1 => Just(Edit::DrainAll),
    ];
    proptest::collection::vec(edit, 1..16)
}

fn carry_out(members: &mut Vec<Member>, edit: &Edit) {
    let len = members.len();
    match *edit {
        Edit::Add(index, _) if members.iter().any(|m| m.index == index) => {}
        Edit::Add(index, weight) => members.push(member(index, weight)),
        Edit::Remove(_) | Edit::Reweight(..) if len == 0 => {}
        Edit::Remove(at) => drop(members.swap_remove(at % len)),
        Edit::Reweight(at, weight) => members[at % len].weight = weight,
        Edit::DrainAll => members.iter_mut().for_each(|member| member.weight = 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shares_are_exact_and_nothing_moves_that_need_not(edits in edits()) {
        let mut members = Vec::new();
        let mut table = SlotTable::default();
        let mut twin = SlotTable::default();
        for edit in &edits {
            let before = table.clone();
            carry_out(&mut members, edit);
            let changed = table.assign(&members);

            let owned = table.owned();
            if members.iter().any(|m| m.weight > 0) {
                for member in &members {
                    let has = owned.get(&member.index).copied().unwrap_or(0);
                    prop_assert!((f64::from(has) - exact(&members, member.index)).abs() < 1.0);
                }
                prop_assert_eq!(owned.values().sum::<u32>(), SLOTS);
            } else {
                prop_assert_eq!(&table, &without_strangers(&before, &members));
            }

            let moved = before.entries.iter().zip(&table.entries)
                .filter(|(old, new)| table::current(**old) != table::current(**new));
            let gained = moved.clone().filter(|(_, new)| table::current(**new) != 0).count();
            prop_assert_eq!(gained as u32, necessary(&before.owned(), &owned));

            for (old, new) in moved {
                let old = table::current(*old);
                let there = members.iter().any(|m| m.index == old);
                prop_assert!(!there || table::previous(*new) == old);
            }
            for entry in &table.entries {
                let (current, previous) = (table::current(*entry), table::previous(*entry));
                prop_assert!(previous == 0 || previous != current);
                for owner in [current, previous] {
                    prop_assert!(owner == 0 || members.iter().any(|m| m.index == owner));
                }
            }
            prop_assert!(changed.iter().all(|i| before.entries[*i as usize] != table.entries[*i as usize]));
            let differ = before.entries.iter().zip(&table.entries).filter(|(a, b)| a != b).count();
            prop_assert_eq!(changed.len(), differ);

            // Another node, another order of the same list: the same table.
            let mut shuffled = members.clone();
            shuffled.reverse();
            twin.assign(&shuffled);
            prop_assert_eq!(&twin, &table);
        }
    }
}

#[test]
fn draining_leaves_the_drained_server_as_previous_owner() {
    let mut table = SlotTable::default();
    let mut members: Vec<_> = (1..=3).map(|i| member(i, 1)).collect();
    table.assign(&members);
    assert!(!table.unsettled());
    members[1].weight = 0;
    table.assign(&members);
    assert_eq!(table.owned().get(&2), None);
    let remembered = table
        .entries
        .iter()
        .filter(|e| table::previous(**e) == 2)
        .count();
    assert!(remembered.abs_diff(SLOTS as usize / 3) <= 1);
    members[1].weight = 1;
    table.assign(&members);
    assert!(table.entries.iter().all(|e| table::current(*e) != 0));
    members.remove(1);
    table.assign(&members);
    assert!(table.entries.iter().all(|e| table::previous(*e) != 2));
}

#[test]
fn servers_that_go_and_come_back_in_turn_lose_nobody_elses_connections() {
    let mut members: Vec<_> = (1..=5).map(|i| member(i, 1)).collect();
    let mut table = SlotTable::default();
    // Who may have connections of each slot.
    let mut with: Vec<BTreeSet<u16>> = vec![BTreeSet::new(); SLOTS as usize];
    let mut check = |table: &SlotTable, gone: Option<u16>| {
        let mut lost = 0;
        for (servers, entry) in with.iter_mut().zip(&table.entries) {
            let (current, previous) = (table::current(*entry), table::previous(*entry));
            servers.insert(current);
            servers.retain(|server| Some(*server) != gone);
            let found = |server: &u16| [current, previous].contains(server);
            lost += servers.iter().filter(|server| !found(server)).count();
        }
        lost
    };
    table.assign(&members);
    assert_eq!(check(&table, None), 0);
    for away in (0..5).cycle().take(15) {
        let index = members[away].index;
        members[away].weight = 0;
        table.assign(&members);
        assert_eq!(check(&table, Some(index)), 0, "{index} went");
        members[away].weight = 1;
        table.assign(&members);
        assert_eq!(check(&table, None), 0, "{index} came back");
    }
}

/// Weights of so many servers, some of which take connections.
fn weights(len: usize) -> impl Strategy<Value = Vec<u32>> {
    let weight = prop_oneof![Just(0_u32), 1..200_u32];
    proptest::collection::vec(weight, len).prop_filter("somebody takes connections", |weights| {
        weights.iter().any(|weight| *weight > 0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn while_nobody_takes_connections_nobody_is_forgotten(
        (first, then, after) in (1..8_usize)
            .prop_flat_map(|len| (weights(len), weights(len), weights(len)))
    ) {
        let members = |weights: &[u32]| -> Vec<Member> {
            (1..).zip(weights).map(|(index, weight)| member(index, *weight)).collect()
        };
        let mut table = SlotTable::default();
        table.assign(&members(&first));
        table.assign(&members(&then));
        let before = table.clone();

        let nobody = vec![0; first.len()];
        prop_assert_eq!(table.assign(&members(&nobody)), Vec::<u32>::new());
        let mut again = table.clone();
        prop_assert_eq!(again.assign(&members(&then)), Vec::<u32>::new());

        table.assign(&members(&after));
        for (old, new) in before.entries.iter().zip(&table.entries) {
            let owner = table::current(*old);
            if table::current(*new) == owner {
                prop_assert_eq!(new, old);
            } else {
                prop_assert_eq!(table::previous(*new), owner);
            }
        }
    }
}

#[test]
fn two_that_are_drained_one_after_the_other_are_both_remembered() {
    let mut members: Vec<_> = (1..=2).map(|i| member(i, 1)).collect();
    let mut table = SlotTable::default();
    table.assign(&members);
    let first = table.clone();
    for at in 0..2 {
        members[at].weight = 0;
        table.assign(&members);
    }
    for at in [1, 0] {
        let (mut table, mut members) = (table.clone(), members.clone());
        members[at].weight = 1;
        table.assign(&members);
        for (first, entry) in first.entries.iter().zip(&table.entries) {
            let owners = [table::current(*entry), table::previous(*entry)];
            assert!(owners.contains(&table::current(*first)));
        }
    }
}

#[test]
fn one_that_goes_while_nobody_takes_connections_is_nobodys_previous_owner() {
    let mut members: Vec<_> = (1..=3).map(|i| member(i, 1)).collect();
    let mut table = SlotTable::default();
    table.assign(&members);
    members.iter_mut().for_each(|member| member.weight = 0);
    table.assign(&members);
    let gone = members.remove(1).index;
    let changed = table.assign(&members);
    assert!(changed.len().abs_diff(SLOTS as usize / 3) <= 1);
    assert_eq!(table.owned().get(&gone), None);
    members.push(member(4, 1));
    table.assign(&members);
    let remembers = |index| {
        let previous = |entry: &&u32| table::previous(**entry) == index;
        table.entries.iter().filter(previous).count()
    };
    assert_eq!(table.owned(), BTreeMap::from([(4, SLOTS)]));
    assert_eq!(remembers(gone), 0);
    assert_eq!(remembers(1) + remembers(3), SLOTS as usize - changed.len());
}

#[test]
fn maglev_moves_more() {
    let members: Vec<_> = (1..=100).map(|i| member(i, 1)).collect();
    let mut table = SlotTable::default();
    table.assign(&members);
    let before = table.clone();
    table.assign(&members[1..]);
    let needless = before
        .entries
        .iter()
        .zip(&table.entries)
        .filter(|(old, new)| {
            table::current(**old) != 1 && table::current(**old) != table::current(**new)
        });
    assert_eq!(needless.count(), 0);

    let old = maglev::table(&members, 1);
    let new = maglev::table(&members[1..], 1);
    let needless = old
        .iter()
        .zip(&new)
        .filter(|(old, new)| **old != 1 && old != new)
        .count();
    assert!(needless > 50, "Maglev moved {needless} needlessly");
}
