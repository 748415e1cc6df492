//! The model against simulated maps: writes carried out in order must at every moment
//! leave tables that name only servers that are there, and a restart must change nothing.

#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

mod maps;

use std::collections::HashMap;
use std::net::IpAddr;

use proptest::prelude::*;
use ssi_abi::conn::state;
use ssi_abi::server::{Server as ServerRecord, flag as server_flag, server_ref};
use ssi_abi::service::{Service as ServiceRecord, flag};
use ssi_abi::table;
use ssi_api::lvs::{
    Command, Method, PortRange, Protocol, Scheduler, ServerName, ServerSpec, ServiceFlags,
    ServiceName, ServiceSpec,
};
use ssi_lvs::core::sweep::{Entry, Fate};
use ssi_lvs::core::{Absent, Environment, Model, Reason, Route, Step, Write};

use crate::maps::{Maps, TUNING, add, add_server, command, real, spec, vip};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tables_name_only_what_is_there_and_a_restart_changes_nothing(
        lists in proptest::collection::vec(proptest::collection::vec(command(), 1..4), 1..14)
    ) {
        let mut maps = Maps::new();
        let mut model = Model::new(TUNING);
        for list in &lists {
            let before = model.commands();
            match model.apply(list) {
                Ok(writes) => maps.carry_out(&writes),
                Err(_) => prop_assert_eq!(model.commands(), before, "refused, but changed"),
            }
        }
        // What was saved, from the maps of the old daemon: nothing but settings to write
        // for slot tables; others get a new table of the same contents.
        let (again, writes) = Model::adopt(TUNING, Environment::default(), &maps.dump(), Some(&model.export())).unwrap();
        prop_assert_eq!(again.commands(), model.commands());
        for write in &writes {
            let harmless = matches!(write, Write::Settings(_) | Write::Entries(..) | Write::Service(..));
            prop_assert!(harmless, "{:?}", write);
        }
        let before = maps.clone();
        maps.carry_out(&writes);
        prop_assert_eq!(&before.servers, &maps.servers);
        prop_assert_eq!(&before.keys, &maps.keys);
        prop_assert_eq!(&before.filter, &maps.filter);
        for (old, new) in before.services.iter().zip(&maps.services) {
            prop_assert_eq!(old.scheduler, new.scheduler);
            let (a, n) = ServiceRecord::table_range(old.table);
            let (b, m) = ServiceRecord::table_range(new.table);
            prop_assert_eq!(n, m);
            let old = &before.table[a as usize..(a + n) as usize];
            prop_assert_eq!(old, &maps.table[b as usize..(b + n) as usize]);
        }
        // Without the saved commands, the maps alone tell as much.
        let (found, _) = Model::adopt(TUNING, Environment::default(), &maps.dump(), None).unwrap();
        prop_assert_eq!(found.size(), model.size());
        // And in an emptied model nothing stays behind.
        let mut model = again;
        maps.carry_out(&model.apply(&[Command::Clear]).unwrap());
        prop_assert!(maps.keys.is_empty());
        prop_assert!(maps.filter.iter().all(|bits| *bits == 0));
        prop_assert!(maps.services.iter().all(|s| *s == ServiceRecord::default()));
        prop_assert!(maps.servers.iter().all(|s| s.service == 0));
    }
}

#[test]
fn ten_thousand_services_in_one_list() {
    let mut list = Vec::new();
    for n in 0..10_000_u32 {
        let [_, a, b, c] = n.to_be_bytes();
        let service = ServiceName::Address {
            protocol: Protocol::Tcp,
            addr: [10, a, b, c].into(),
            port: 80,
        };
        list.push(Command::AddService {
            service,
            spec: spec(Scheduler::Wlc),
        });
        for server in 1..=2 {
            list.push(Command::AddServer {
                service,
                server: real(server),
                spec: ServerSpec::default(),
            });
        }
    }
    let mut model = Model::new(TUNING);
    let writes = model.apply(&list).expect("fits");
    assert_eq!(model.size(), (10_000, 20_000));
    // Two resets and records for servers, one of each for the service, table, key, filter.
    assert!(writes.len() <= 10_000 * 9, "{}", writes.len());
    let one = model
        .apply(&[add(1, Scheduler::Rr), add_server(1, 1, 1)])
        .expect("fits");
    assert!(one.len() <= 8, "an edit costs what it changes: {one:?}");
}

#[test]
fn the_environment_resolves_and_directs() {
    let mut model = Model::new(TUNING);
    let mut maps = Maps::new();
    maps.carry_out(
        &model
            .apply(&[
                add(1, Scheduler::Slot),
                add_server(1, 1, 1),
                add_server(1, 2, 1),
            ])
            .unwrap(),
    );
    let service = |maps: &Maps| maps.services[1];
    assert_ne!(
        service(&maps).flags & flag::DIRECTOR,
        0,
        "nobody else directs it"
    );
    let route = Route {
        ifindex: 3,
        own_mac: [2; 6],
        next_hop: Some([4; 6]),
        source: IpAddr::from([10, 77, 0, 1]),
        mtu: 1500,
    };
    let environment = Environment {
        own: [real(1).addr].into(),
        nodes: [real(1).addr, real(2).addr].into(),
        cvips: [([10, 88, 0, 1].into(), false)].into(),
        routes: [(real(2).addr, route)].into(),
        ..Environment::default()
    };
    maps.carry_out(&model.set_environment(environment.clone()));
    assert_eq!(service(&maps).flags & flag::DIRECTOR, 0);
    let server = |maps: &Maps, n: u8| {
        *maps
            .servers
            .iter()
            .find(|s| s.service == 1 && s.addr == real(n).addr.into())
            .unwrap()
    };
    assert_ne!(server(&maps, 1).flags & server_flag::LOCAL, 0);
    let two = server(&maps, 2);
    assert_eq!(
        two.flags,
        server_flag::RESOLVED | server_flag::SECOND_CHANCE
    );
    assert_eq!((two.ifindex, two.next_hop, two.mtu), (3, [4; 6], 1500));
    assert_eq!(model.set_environment(environment), []);
}

#[test]
fn servers_of_absent_nodes_take_nothing_and_those_that_are_down_have_nothing() {
    let mut model = Model::new(TUNING);
    let mut maps = Maps::new();
    let list = [
        add(1, Scheduler::Rr),
        add_server(1, 1, 1),
        add_server(1, 2, 1),
    ];
    maps.carry_out(&model.apply(&list).unwrap());
    let index = |maps: &Maps, n: u8| {
        let is = |s: &ServerRecord| s.service == 1 && s.addr == real(n).addr.into();
        maps.servers.iter().position(is).unwrap()
    };
    let (one, two) = (index(&maps, 1), index(&maps, 2));
    let turns = |maps: &Maps| {
        let (first, len) = ServiceRecord::table_range(maps.services[1].table);
        let entries = &maps.table[first as usize..][..len as usize];
        entries
            .iter()
            .map(|e| usize::from(table::current(*e)))
            .collect::<Vec<_>>()
    };
    assert_eq!(turns(&maps), [one, two]);
    let generation = maps.servers[two].generation;
    let mut step = Step {
        epoch: 5,
        ..Step::default()
    };
    step.absent.leaving.insert(real(2).addr);
    maps.carry_out(&model.step(&step).0);
    assert_eq!(turns(&maps), [one]);
    assert_eq!(maps.servers[two].weight, 0);
    assert_eq!(maps.servers[two].flags & server_flag::DOWN, 0);
    assert_eq!(
        maps.servers[two].generation, generation,
        "its connections go on"
    );

    step.epoch = 6;
    step.absent = Absent {
        down: [real(2).addr].into(),
        ..Absent::default()
    };
    maps.carry_out(&model.step(&step).0);
    assert_ne!(maps.servers[two].flags & server_flag::DOWN, 0);
    assert_eq!(
        maps.servers[two].generation,
        generation + 1,
        "nor its connections"
    );
    assert_eq!(
        model.step(&step),
        (vec![], vec![]),
        "an entry is taken in once"
    );

    step.epoch = 7;
    step.absent = Absent::default();
    maps.carry_out(&model.step(&step).0);
    assert_eq!(turns(&maps), [one, two]);
    assert_eq!(maps.servers[two].generation, generation + 1);
    assert_eq!(maps.servers[two].weight, 1);
}

#[test]
fn each_refusal_names_the_thing_and_changes_nothing() {
    let mut model = Model::new(TUNING);
    model
        .apply(&[add(1, Scheduler::Rr), add_server(1, 1, 1)])
        .unwrap();
    let before = model.commands();
    let refused = |list: &[Command]| model.clone().apply(list).unwrap_err();
    assert_eq!(
        refused(&[add(2, Scheduler::Rr), add(1, Scheduler::Rr)]).command,
        Some(1)
    );
    assert_eq!(
        refused(&[add(1, Scheduler::Rr)]).reason,
        Reason::ServiceExists(vip(1))
    );
    assert_eq!(
        refused(&[add_server(9, 1, 1)]).reason,
        Reason::NoService(vip(9))
    );
    assert_eq!(
        refused(&[add_server(1, 1, 1)]).reason,
        Reason::ServerExists(vip(1), real(1))
    );
    assert_eq!(
        refused(&[add_server(1, 2, 65_536)]).reason,
        Reason::Weight(65_536)
    );
    let server = ServerName {
        addr: [10, 77, 0, 2].into(),
        port: 8080,
    };
    let spec = ServerSpec::default();
    let other_port = Command::AddServer {
        service: vip(1),
        server,
        spec,
    };
    assert!(matches!(
        refused(&[other_port]).reason,
        Reason::Port { port: 80, .. }
    ));
    let server = ServerName {
        addr: "fd77::2".parse().unwrap(),
        port: 80,
    };
    let other_family = Command::AddServer {
        service: vip(1),
        server,
        spec,
    };
    assert!(matches!(
        refused(std::slice::from_ref(&other_family)).reason,
        Reason::Family { .. }
    ));
    let spec = ServerSpec {
        method: Method::Tunnel,
        ..spec
    };
    let tunnel = Command::AddServer {
        service: vip(1),
        server,
        spec,
    };
    assert!(
        model.clone().apply(&[tunnel]).is_ok(),
        "a tunnel crosses families"
    );
    let member = |first, last| PortRange {
        protocol: Protocol::Tcp,
        addr: [10, 88, 0, 1].into(),
        first,
        last,
    };
    let mark = |members| Command::AddService {
        service: ServiceName::Mark { mark: 5, v6: false },
        spec: ServiceSpec {
            members,
            ..ServiceSpec::default()
        },
    };
    assert!(matches!(
        refused(&[mark(vec![member(79, 81)])]).reason,
        Reason::Taken { port: 80, .. }
    ));
    assert!(matches!(
        refused(&[mark(vec![])]).reason,
        Reason::NoMembers(5)
    ));
    assert!(
        model
            .clone()
            .apply(&[mark(vec![member(81, 90), member(443, 443)])])
            .is_ok()
    );
    for n in 0..17 {
        let _ = model.apply(&[add(100 + n, Scheduler::Slot), add_server(100 + n, 1, 1)]);
    }
    assert_eq!(
        model.size().0,
        16,
        "15 slot tables of 64 Ki fit beside rr's"
    );
    let full = model
        .clone()
        .apply(&[add(200, Scheduler::Slot), add_server(200, 1, 1)])
        .unwrap_err();
    assert!(full.to_string().contains("lvs.table_entries"), "{full}");
    drop(before);
}

#[test]
fn overload_has_two_thresholds() {
    let mut model = Model::new(TUNING);
    let spec = ServerSpec {
        upper: 8,
        ..ServerSpec::default()
    };
    let server = Command::AddServer {
        service: vip(1),
        server: real(1),
        spec,
    };
    model.apply(&[add(1, Scheduler::Rr), server]).unwrap();
    let (_, index) = model.servers().next().unwrap();
    let mut overloaded = |connections| {
        let writes = model.set_connections(&HashMap::from([(index, (connections, 0))]));
        writes.iter().find_map(|w| match w {
            Write::Server(_, record) => Some(record.flags & server_flag::OVERLOADED != 0),
            _ => None,
        })
    };
    assert_eq!(overloaded(7), None);
    assert_eq!(overloaded(8), Some(true));
    assert_eq!(overloaded(6), None, "not below three quarters yet");
    assert_eq!(overloaded(5), Some(false));
}

#[test]
fn a_slot_service_with_flags_is_in_the_filter_as_stateful() {
    let mut model = Model::new(TUNING);
    let mut maps = Maps::new();
    maps.carry_out(
        &model
            .apply(&[add(1, Scheduler::Slot), add_server(1, 1, 1)])
            .unwrap(),
    );
    let word = ssi_abi::filter::word(&IpAddr::from([10, 88, 0, 1]).into()) as usize;
    assert_eq!(maps.filter[word] & ssi_abi::filter::CONNS, 0);
    let flags = ServiceFlags {
        track: true,
        ..ServiceFlags::default()
    };
    let tracked = ServiceSpec {
        flags,
        ..spec(Scheduler::Slot)
    };
    maps.carry_out(
        &model
            .apply(&[Command::EditService {
                service: vip(1),
                spec: tracked,
            }])
            .unwrap(),
    );
    assert_ne!(maps.filter[word] & ssi_abi::filter::CONNS, 0);
}

#[test]
fn a_former_director_forgets_what_nobody_asks_for() {
    let mut model = Model::new(TUNING);
    let mut maps = Maps::new();
    let list = [add(1, Scheduler::Rr), add_server(1, 1, 1)];
    maps.carry_out(&model.apply(&list).unwrap());
    let index = maps.servers.iter().position(|s| s.service == 1).unwrap();
    let generation = maps.servers[index].generation;
    let cvip = IpAddr::from([10, 88, 0, 1]);
    let now = 1_000_000;
    let entry = |to: IpAddr, seconds: u32| Entry {
        server: server_ref(index.try_into().unwrap(), generation),
        seen: now - seconds * TUNING.hz,
        state: state::ESTABLISHED,
        flags: 0,
        destination: to.into(),
    };
    let mut fates = |directs: bool, elsewhere: bool| {
        let environment = Environment {
            cvips: [(cvip, directs)].into(),
            elsewhere: elsewhere.then_some(cvip).into_iter().collect(),
            ..Environment::default()
        };
        maps.carry_out(&model.set_environment(environment));
        let mut sweep = model.sweep(now);
        [entry(cvip, 2), entry(cvip, 60), entry(real(1).addr, 60)].map(|entry| sweep.see(entry))
    };
    let all = [Fate::Keep; 3];
    assert_eq!(fates(true, false), all);
    // For want of a lease, which may come back before anybody else directs.
    assert_eq!(fates(false, false), all);
    assert_eq!(fates(false, true), [Fate::Keep, Fate::Forget, Fate::Keep]);
}
