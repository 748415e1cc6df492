//! After a restart: the maps hold what an earlier daemon wrote, and packets are scheduled
//! by it. Services, servers and slots keep their places; only differences are written.

use std::collections::HashMap;

use ssi_abi::server::Server as ServerRecord;
use ssi_abi::service::{self, Service as ServiceRecord, ServiceKey};
use ssi_abi::table::SLOTS;
use ssi_api::lvs::{
    Command, Method, PortRange, Scheduler, ServerName, ServerSpec, ServiceFlags, ServiceName,
    ServiceSpec,
};

use super::Write;
use super::agreed::{Agreed, Unusable};
use super::environment::Environment;
use super::model::{Model, Tuning};
use super::record::protocol;
use super::schedule::{self, slot::SlotTable};

/// What the maps hold.
#[derive(Clone, Debug, Default)]
pub struct Dump {
    /// All of `SERVICES`, by index.
    pub services: Vec<ServiceRecord>,
    /// All of `SERVERS`, by index.
    pub servers: Vec<ServerRecord>,
    /// All of `SERVICE_INDEX`.
    pub keys: Vec<(ServiceKey, u32)>,
    /// All of `ADDRS`, by word.
    pub filter: Vec<u32>,
    /// The entries of each slot table, by the index of its service.
    pub slots: HashMap<u32, Vec<u32>>,
}

/// Where things were before the restart.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    services: HashMap<ServiceName, (u32, ServiceRecord)>,
    servers: HashMap<(ServiceName, ServerName), u16>,
    slots: HashMap<u32, Vec<u32>>,
    /// Table ranges in use before, and not claimed by their former owners: packets are
    /// scheduled by them until the services' records change.
    ranges: Vec<(u32, u32)>,
}

impl Hints {
    pub(super) fn service(&self, name: &ServiceName) -> Option<u32> {
        self.services.get(name).map(|(index, _)| *index)
    }

    pub(super) fn server(&self, service: &ServiceName, server: &ServerName) -> Option<u16> {
        self.servers.get(&(*service, *server)).copied()
    }

    /// The first entry of a service's old table, if it can be taken over: only slot tables
    /// have a history worth keeping.
    pub(super) fn claim_range(
        &mut self,
        name: &ServiceName,
        scheduler: Scheduler,
        len: u32,
    ) -> Option<u32> {
        let (_, record) = self.services.get(name)?;
        let range = ServiceRecord::table_range(record.table);
        if scheduler != Scheduler::Slot || record.scheduler != service::scheduler::SLOT {
            return None;
        }
        let at = self
            .ranges
            .iter()
            .position(|known| *known == range && range.1 == len)?;
        Some(self.ranges.swap_remove(at).0)
    }

    /// The old slot table, and its first entry.
    pub(super) fn slots(&self, name: &ServiceName) -> Option<(SlotTable, u32)> {
        let (index, record) = self.services.get(name)?;
        let entries = self.slots.get(index)?;
        let (first, _) = ServiceRecord::table_range(record.table);
        Some((SlotTable::from_entries(entries.clone()), first))
    }
}

impl Model {
    /// A model of what the maps hold, made into what was saved. Without anything saved,
    /// of what the maps hold alone.
    ///
    /// # Errors
    /// [`Unusable`]: what was saved can't be; nothing should be written.
    pub fn adopt(
        tuning: Tuning,
        environment: Environment,
        dump: &Dump,
        saved: Option<&Agreed>,
    ) -> Result<(Self, Vec<Write>), Unusable> {
        let mut model = Self::new(tuning);
        let found = names(dump);
        model.take_over(dump, &found);
        model.surround(environment);
        let mut writes = match saved {
            Some(saved) => model.become_as(saved)?,
            None => model.become_as(&Agreed::of(commands(dump, &found, tuning.hz)))?,
        };
        writes.extend(model.remove_the_rest(dump));
        writes.insert(0, Write::Settings(model.settings()));
        model.given_up.append(&mut model.hints.ranges);
        model.hints = Hints::default();
        Ok((model, writes))
    }

    fn take_over(&mut self, dump: &Dump, found: &HashMap<u32, ServiceName>) {
        for (place, record) in self.installed.services.iter_mut().zip(&dump.services) {
            *place = *record;
        }
        for (place, record) in self.installed.servers.iter_mut().zip(&dump.servers) {
            *place = *record;
        }
        let services = (0..).zip(&dump.services);
        let used = services.filter(|(_, record)| record.scheduler != service::scheduler::NONE);
        for (index, record) in used {
            if self.installed.free_services.remove(&index) {
                self.installed.former_services.insert(index);
            }
            let (first, len) = ServiceRecord::table_range(record.table);
            if len != 0 && self.tables.reserve(first, len) {
                self.hints.ranges.push((first, len));
            }
        }
        for (index, _) in (0..=u16::MAX)
            .zip(&dump.servers)
            .filter(|(_, r)| r.service != 0)
        {
            if self.installed.free_servers.remove(&index) {
                self.installed.former_servers.insert(index);
            }
        }
        self.installed.keys = dump.keys.iter().copied().collect();
        for (word, bits) in (0..).zip(&dump.filter).filter(|(_, bits)| **bits != 0) {
            self.filter.adopt(word, *bits);
        }
        for (index, name) in found {
            let record = dump.services[*index as usize];
            self.hints.services.insert(*name, (*index, record));
        }
        for (index, record) in (0..).zip(&dump.servers) {
            if let Some(service) = found.get(&record.service) {
                self.hints
                    .servers
                    .insert((*service, server_name(service, record)), index);
            }
        }
        self.hints.slots = dump
            .slots
            .iter()
            .filter(|(_, entries)| entries.len() == SLOTS as usize)
            .map(|(index, entries)| (*index, entries.clone()))
            .collect();
    }

    /// Whatever the maps held that nobody wants any more.
    fn remove_the_rest(&mut self, dump: &Dump) -> Vec<Write> {
        let mut writes = Vec::new();
        let stale: Vec<_> = dump
            .keys
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| !self.keys.contains_key(key))
            .collect();
        for key in stale {
            self.installed.keys.remove(&key);
            writes.push(Write::RemoveKey(key));
        }
        for index in std::mem::take(&mut self.installed.former_services) {
            writes.push(self.installed.free_service(index));
        }
        for index in std::mem::take(&mut self.installed.former_servers) {
            writes.push(self.installed.free_server(index));
        }
        writes
    }
}

/// The names of the services in the maps, by index.
fn names(dump: &Dump) -> HashMap<u32, ServiceName> {
    let name = |record: &ServiceRecord| {
        if record.scheduler == service::scheduler::NONE {
            return None;
        }
        if record.mark != 0 {
            // The prefix is at most 32 in IPv4; a mark of IPv6 has its members to tell.
            return Some(ServiceName::Mark {
                mark: record.mark,
                v6: mark_v6(dump, record),
            });
        }
        Some(ServiceName::Address {
            protocol: protocol(record.key.protocol)?,
            addr: record.key.addr.into(),
            port: u16::from_be(record.key.port),
        })
    };
    (0..)
        .zip(&dump.services)
        .filter_map(|(index, record)| Some((index, name(record)?)))
        .collect()
}

fn mark_v6(dump: &Dump, record: &ServiceRecord) -> bool {
    let mut keys = dump.keys.iter();
    let own = keys.find(|(_, index)| dump.services.get(*index as usize) == Some(record));
    own.is_some_and(|(key, _)| !key.addr.is_v4())
}

fn server_name(service: &ServiceName, record: &ServerRecord) -> ServerName {
    let port = match (record.port, service) {
        (0, ServiceName::Address { port, .. }) => *port,
        (port, _) => u16::from_be(port),
    };
    ServerName {
        addr: record.addr.into(),
        port,
    }
}

/// Commands that would make what the maps hold.
fn commands(dump: &Dump, found: &HashMap<u32, ServiceName>, hz: u32) -> Vec<Command> {
    let mut order: Vec<_> = found.iter().collect();
    order.sort();
    let mut commands = Vec::new();
    for (index, name) in order {
        let record = &dump.services[*index as usize];
        let Some(scheduler) = schedule::of_variant(record.variant) else {
            continue;
        };
        let has = |flag| record.flags & flag != 0;
        let spec = ServiceSpec {
            scheduler,
            persistent: (record.persist != 0).then(|| record.persist / hz.max(1)),
            prefix: (record.persist != 0).then_some(record.prefix),
            one_packet: has(service::flag::ONE_PACKET),
            flags: ServiceFlags {
                port: has(service::flag::HASH_PORT),
                fallback: has(service::flag::FALLBACK),
                track: has(service::flag::TRACK),
            },
            members: members(dump, *index, name),
            // Who made it is not in the maps; where it is saved, that goes before them.
            supervised: false,
        };
        commands.push(Command::AddService {
            service: *name,
            spec,
        });
        let servers = dump
            .servers
            .iter()
            .filter(|server| server.service == *index);
        commands.extend(servers.map(|server| Command::AddServer {
            service: *name,
            server: server_name(name, server),
            spec: ServerSpec {
                method: match server.method {
                    ssi_abi::server::method::TUNNEL => Method::Tunnel,
                    ssi_abi::server::method::NAT => Method::Masq,
                    _ => Method::Route,
                },
                weight: server.weight,
                ..ServerSpec::default()
            },
        }));
    }
    commands
}

fn members(dump: &Dump, index: u32, name: &ServiceName) -> Vec<PortRange> {
    if matches!(name, ServiceName::Address { .. }) {
        return Vec::new();
    }
    let own = dump.keys.iter().filter(|(_, of)| *of == index);
    own.filter_map(|(key, _)| {
        let port = u16::from_be(key.port);
        let protocol = protocol(key.protocol)?;
        Some(PortRange {
            protocol,
            addr: key.addr.into(),
            first: port,
            last: port,
        })
    })
    .collect()
}
