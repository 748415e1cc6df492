//! While no server of a slot service takes connections: who owned a slot is remembered, on
//! all nodes and over restarts, and what opens a connection is turned away then only.

#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]
#![expect(
    dead_code,
    reason = "this uses only a part of what fills the simulated maps"
)]

mod maps;

use proptest::prelude::*;
use ssi_abi::service::Service as ServiceRecord;
use ssi_abi::table::{self, SLOTS};
use ssi_api::lvs::{Command, Scheduler, ServerName, ServerSpec};
use ssi_lvs::core::{Absent, Agreed, Environment, Model, Packed, Step, Write};

use crate::maps::{Maps, TUNING, add, add_server, real, vip};

/// Current and previous owner of each slot, by the last bytes of their addresses.
type Owners = Vec<(u8, u8)>;

fn owners(agreed: &Agreed) -> Owners {
    let service = &agreed.services[0];
    let packed = service.slots.as_ref().expect("it has a slot table");
    let owners = packed.owners(service.servers.len()).expect("just packed");
    let number = |place: u16| match place {
        0 => 0,
        place => last_byte(&service.servers[usize::from(place) - 1].0),
    };
    owners
        .into_iter()
        .map(|(current, previous)| (number(current), number(previous)))
        .collect()
}

fn last_byte(server: &ServerName) -> u8 {
    match server.addr {
        std::net::IpAddr::V4(addr) => addr.octets()[3],
        std::net::IpAddr::V6(_) => unreachable!("all are IPv4 here"),
    }
}

fn weigh(server: u8, weight: u32) -> Command {
    Command::EditServer {
        service: vip(1),
        server: real(server),
        spec: ServerSpec {
            weight,
            ..ServerSpec::default()
        },
    }
}

/// A service with so many servers.
fn founded(servers: u8) -> (Model, Maps) {
    let (mut model, mut maps) = (Model::new(TUNING), Maps::new());
    let mut list = vec![add(1, Scheduler::Slot)];
    list.extend((1..=servers).map(|n| add_server(1, n, 1)));
    maps.carry_out(&model.apply(&list).expect("legal"));
    (model, maps)
}

/// How many of the entries' current owners take new connections, as the programs see it.
fn taking(maps: &Maps, entries: &[u32]) -> usize {
    let takes = |entry: &&u32| maps.servers[usize::from(table::current(**entry))].weight > 0;
    entries.iter().filter(takes).count()
}

fn whole(maps: &Maps) -> Vec<u32> {
    let (first, len) = ServiceRecord::table_range(maps.services[1].table);
    maps.table[first as usize..][..len as usize].to_vec()
}

/// Changes of the weights of four servers, a list each.
fn lists() -> impl Strategy<Value = Vec<Vec<Command>>> {
    let weight = prop_oneof![2 => Just(0_u32), 1 => 1..5_u32];
    let edit = (1..5_u8, weight).prop_map(|(server, weight)| weigh(server, weight));
    proptest::collection::vec(proptest::collection::vec(edit, 1..5), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_turned_away_while_any_server_takes_connections(lists in lists()) {
        let (mut model, mut maps) = founded(4);
        for list in lists {
            let could = taking(&maps, &whole(&maps)) > 0;
            let writes = model.apply(&list).expect("legal");
            let weights = &model.export().services[0].servers;
            let can = weights.iter().any(|(_, spec)| spec.weight > 0);
            for write in &writes {
                maps.carry_out(std::slice::from_ref(write));
                let written = match write {
                    Write::Entries(_, entries) => entries.clone(),
                    _ => whole(&maps),
                };
                if could && can {
                    prop_assert_eq!(taking(&maps, &written), written.len(), "{:?}", write);
                }
            }
            let expected = if can { SLOTS as usize } else { 0 };
            prop_assert_eq!(taking(&maps, &whole(&maps)), expected);
        }
    }
}

#[test]
fn all_nodes_leave_and_one_comes_back() {
    let (mut model, mut maps) = founded(3);
    let leaving = |numbers: &[u8]| Absent {
        leaving: numbers.iter().map(|n| real(*n).addr).collect(),
        ..Absent::default()
    };
    let mut step = Step::default();
    let mut next = |model: &mut Model, maps: &mut Maps, absent| {
        step.epoch += 1;
        step.absent = absent;
        maps.carry_out(&model.step(&step).0);
        owners(&model.export())
    };
    let settled = next(&mut model, &mut maps, Absent::default());
    let one_left = next(&mut model, &mut maps, leaving(&[1]));
    assert_ne!(one_left, settled);
    assert_eq!(next(&mut model, &mut maps, leaving(&[1, 2, 3])), one_left);

    // Also after a restart, with another node that takes the state over, and without what
    // the maps held.
    let saved = model.export();
    let around = Environment::default();
    let (mut again, writes) =
        Model::adopt(TUNING, around.clone(), &maps.dump(), Some(&saved)).expect("just saved");
    assert!(!writes.iter().any(|w| matches!(w, Write::Entries(..))));
    assert_eq!(again.export(), saved);
    let mut other = Model::new(TUNING);
    other.import(&saved).expect("just saved");
    assert_eq!(other.export(), saved);
    let (rebooted, _) =
        Model::adopt(TUNING, around, &Maps::new().dump(), Some(&saved)).expect("just saved");
    assert_eq!(rebooted.export(), saved);

    let back = next(&mut again, &mut maps, leaving(&[1, 3]));
    for (before, after) in one_left.iter().zip(&back) {
        assert_eq!(after.0, 2);
        let had = if before.0 == 2 { before.1 } else { before.0 };
        assert_eq!(after.1, had, "{before:?}");
    }
}

#[test]
fn a_table_in_which_nobody_owns_anything_is_taken_over() {
    // As earlier releases left it when the last server was drained.
    let (mut model, _) = founded(2);
    model.apply(&[weigh(1, 0), weigh(2, 0)]).expect("legal");
    let mut saved = model.export();
    // Server n is the n-th of the list.
    let former: Vec<(u16, u16)> = owners(&saved)
        .iter()
        .map(|(current, _)| (0, u16::from(*current)))
        .collect();
    saved.services[0].slots = Some(Packed::new(&former));

    let mut model = Model::new(TUNING);
    model.import(&saved).expect("it is sound");
    assert_eq!(model.export(), saved);
    model.apply(&[add_server(1, 3, 1)]).expect("legal");
    for ((_, former), now) in former.iter().zip(owners(&model.export())) {
        assert_eq!((3, *former), (now.0, u16::from(now.1)));
    }
}
