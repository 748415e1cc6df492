//! The maps, simulated, and what to fill them with.

use std::collections::HashMap;

use proptest::prelude::*;
use ssi_abi::server::Server as ServerRecord;
use ssi_abi::service::{Service as ServiceRecord, ServiceKey, scheduler};
use ssi_abi::{limits, table};
use ssi_api::lvs::{
    Command, Method, Protocol, Scheduler, ServerName, ServerSpec, ServiceName, ServiceSpec,
};
use ssi_lvs::core::{Dump, Tuning, Write};

pub const TUNING: Tuning = Tuning {
    seed: 1,
    hz: 250,
    table_entries: 1 << 20,
    node: 1,
};

/// The maps, as far as the model writes them.
#[derive(Clone)]
pub struct Maps {
    pub services: Vec<ServiceRecord>,
    pub servers: Vec<ServerRecord>,
    pub keys: HashMap<ServiceKey, u32>,
    pub table: Vec<u32>,
    pub filter: Vec<u32>,
}

impl Maps {
    pub fn new() -> Self {
        Self {
            services: vec![ServiceRecord::default(); limits::SERVICES],
            servers: vec![ServerRecord::default(); limits::SERVERS],
            keys: HashMap::new(),
            table: vec![0; TUNING.table_entries as usize],
            filter: vec![0; ssi_abi::filter::WORDS],
        }
    }

    fn write(&mut self, write: &Write) {
        match write {
            Write::Server(index, record) => self.servers[usize::from(*index)] = *record,
            Write::Service(index, record) => self.services[*index as usize] = *record,
            Write::Entries(first, entries) => {
                self.table[*first as usize..][..entries.len()].copy_from_slice(entries);
            }
            Write::Key(key, index) => drop(self.keys.insert(*key, *index)),
            Write::RemoveKey(key) => assert!(self.keys.remove(key).is_some(), "{key:?}"),
            Write::Filter(word, bits) => self.filter[*word as usize] = *bits,
            Write::ResetServer(_)
            | Write::ResetService(_)
            | Write::Settings(_)
            | Write::Zero(_) => {}
        }
    }

    pub fn carry_out(&mut self, writes: &[Write]) {
        for write in writes {
            self.write(write);
            // Only what may have become wrong is looked at.
            match write {
                Write::Key(..) | Write::Filter(..) | Write::ResetServer(_) => {}
                Write::Entries(first, entries) => self.check_entries(*first, entries),
                _ => self.check(),
            }
        }
    }

    fn check_entries(&self, at: u32, entries: &[u32]) {
        for index in self.keys.values() {
            let (first, len) = ServiceRecord::table_range(self.services[*index as usize].table);
            if (first..first + len).contains(&at) {
                self.check_owners(*index, entries);
            }
        }
    }

    fn check_owners(&self, service: u32, entries: &[u32]) {
        for entry in entries {
            for owner in [table::current(*entry), table::previous(*entry)] {
                let server = &self.servers[usize::from(owner)];
                assert!(
                    owner == 0 || server.service == service,
                    "service {service} has an entry of server {owner}, which is {server:?}"
                );
            }
        }
    }

    /// What holds at every moment: a packet may come between any two writes.
    fn check(&self) {
        for index in self.keys.values() {
            let service = &self.services[*index as usize];
            assert_ne!(
                service.scheduler,
                scheduler::NONE,
                "a key names a service that is not there"
            );
            let (first, len) = ServiceRecord::table_range(service.table);
            self.check_owners(*index, &self.table[first as usize..][..len as usize]);
        }
    }

    pub fn dump(&self) -> Dump {
        let slots = (0_u32..)
            .zip(&self.services)
            .filter(|(_, s)| s.scheduler == scheduler::SLOT && s.table as u32 != 0)
            .map(|(index, s)| {
                let (first, len) = ServiceRecord::table_range(s.table);
                (
                    index,
                    self.table[first as usize..(first + len) as usize].to_vec(),
                )
            })
            .collect();
        Dump {
            services: self.services.clone(),
            servers: self.servers.clone(),
            keys: self
                .keys
                .iter()
                .map(|(key, index)| (*key, *index))
                .collect(),
            filter: self.filter.clone(),
            slots,
        }
    }
}

pub fn vip(n: u8) -> ServiceName {
    ServiceName::Address {
        protocol: Protocol::Tcp,
        addr: [10, 88, 0, n].into(),
        port: 80,
    }
}

pub fn real(n: u8) -> ServerName {
    ServerName {
        addr: [10, 77, 0, n].into(),
        port: 80,
    }
}

pub fn spec(scheduler: Scheduler) -> ServiceSpec {
    ServiceSpec {
        scheduler,
        ..ServiceSpec::default()
    }
}

pub fn add(n: u8, scheduler: Scheduler) -> Command {
    Command::AddService {
        service: vip(n),
        spec: spec(scheduler),
    }
}

pub fn add_server(n: u8, server: u8, weight: u32) -> Command {
    let spec = ServerSpec {
        weight,
        ..ServerSpec::default()
    };
    Command::AddServer {
        service: vip(n),
        server: real(server),
        spec,
    }
}

pub fn command() -> impl Strategy<Value = Command> {
    let scheduler = proptest::sample::select(Scheduler::ALL.to_vec());
    let weight = prop_oneof![Just(0_u32), 1..6_u32];
    let method = proptest::sample::select(vec![Method::Route, Method::Tunnel, Method::Masq]);
    let server =
        (1..4_u8, 1..6_u8, weight, method).prop_map(|(service, server, weight, method)| {
            let spec = ServerSpec {
                method,
                weight,
                ..ServerSpec::default()
            };
            (vip(service), real(server), spec)
        });
    prop_oneof![
        3 => (1..4_u8, scheduler.clone()).prop_map(|(n, s)| add(n, s)),
        2 => (1..4_u8, scheduler).prop_map(|(n, s)| Command::EditService { service: vip(n), spec: spec(s) }),
        1 => (1..4_u8).prop_map(|n| Command::DeleteService { service: vip(n) }),
        6 => server.clone().prop_map(|(service, server, spec)| Command::AddServer { service, server, spec }),
        4 => server.clone().prop_map(|(service, server, spec)| Command::EditServer { service, server, spec }),
        2 => server.prop_map(|(service, server, _)| Command::DeleteServer { service, server }),
    ]
}
