//! From drafts to writes. Nothing here can fail but the reservation of tables, which is
//! done first and undone if it does.

use std::collections::HashMap;

use ssi_abi::table::SLOTS;
use ssi_abi::{limits, server, service};
use ssi_api::lvs::{Command, Scheduler, ServerName, ServerSpec, ServiceName};

use super::Write;
use super::draft::{Draft, Drafts};
use super::error::{Reason, Refused};
use super::keys;
use super::model::{Installed, Model, Server, Service};
use super::schedule::{self, Member, slot::SlotTable};

/// Writes by the phase in which they are safe for packets in flight.
#[derive(Default)]
struct Phases {
    servers: Vec<Write>,
    entries: Vec<Write>,
    services: Vec<Write>,
    keys: Vec<Write>,
    filter: Vec<Write>,
    gone: Vec<Write>,
    rest: Vec<Write>,
}

impl Phases {
    fn in_order(self) -> Vec<Write> {
        [
            self.servers,
            self.entries,
            self.services,
            self.keys,
            self.filter,
            self.gone,
            self.rest,
        ]
        .concat()
    }
}

impl Model {
    /// Carries out a list of commands: all of it or, on an error, nothing.
    ///
    /// # Errors
    /// [`Refused`]: which command, and why.
    pub fn apply(&mut self, commands: &[Command]) -> Result<Vec<Write>, Refused> {
        let drafts = Drafts::of(self, commands)?;
        self.end_rest();
        let mut ranges = self.reserve(&drafts).map_err(|reason| Refused {
            command: None,
            reason,
        })?;
        let mut phases = Phases::default();
        for name in &drafts.order {
            match &drafts.services[name] {
                Some(draft) => self.install(name, draft, ranges.remove(name), &mut phases),
                None => self.remove(name, &mut phases),
            }
        }
        self.finish_keys(&drafts, &mut phases);
        phases.filter = self.filter.writes();
        for command in commands {
            match command {
                Command::SetTimeouts { timeouts } => phases.rest.push(self.set_timeouts(timeouts)),
                Command::Zero { service } => {
                    let index = service.as_ref().and_then(|name| self.service_index(name));
                    if service.is_none() || index.is_some() {
                        phases.rest.push(Write::Zero(index));
                    }
                }
                _ => {}
            }
        }
        Ok(phases.in_order())
    }

    /// What the last commit gave up has rested: nobody reads it any more.
    fn end_rest(&mut self) {
        for (first, len) in std::mem::take(&mut self.given_up) {
            self.tables.give(first, len);
        }
        self.installed.end_rest();
    }

    /// A range for each draft that needs another than it has. Drafts that keep theirs are
    /// not in the result.
    fn reserve(
        &mut self,
        drafts: &Drafts,
    ) -> Result<HashMap<ServiceName, Option<(u32, u32)>>, Reason> {
        let mut taken = HashMap::new();
        for name in &drafts.order {
            let Some(draft) = &drafts.services[name] else {
                continue;
            };
            let len = table_len(draft);
            if !draft.anew && self.keeps_range(name, draft, len) {
                continue;
            }
            let hinted = self.hints.claim_range(name, draft.spec.scheduler, len);
            let range = match len {
                0 => Ok(None),
                len => match hinted {
                    Some(first) => Ok(Some((first, len))),
                    None => self.tables.take(len).map(|first| Some((first, len))),
                },
            };
            match range {
                Ok(range) => {
                    taken.insert(*name, range);
                }
                Err(full) => {
                    for (first, len) in taken.into_values().flatten() {
                        self.tables.give(first, len);
                    }
                    return Err(full.into());
                }
            }
        }
        Ok(taken)
    }

    /// Tables by hash are edited in place; tables of turns and lists are replaced.
    fn keeps_range(&self, name: &ServiceName, draft: &Draft, len: u32) -> bool {
        let Some(old) = self.services.get(name) else {
            return false;
        };
        let way = schedule::way(draft.spec.scheduler);
        let in_place = way == service::scheduler::HASH || way == service::scheduler::SLOT;
        let had = old.range.map_or(0, |(_, len)| len);
        had == len && (len == 0 || in_place && way == schedule::way(old.spec.scheduler))
    }

    fn install(
        &mut self,
        name: &ServiceName,
        draft: &Draft,
        range: Option<Option<(u32, u32)>>,
        phases: &mut Phases,
    ) {
        if draft.anew {
            self.remove(name, phases);
        }
        let old = self.services.remove(name);
        let mut service = match old.as_ref() {
            Some(old) => Service {
                spec: draft.spec.clone(),
                servers: Vec::new(),
                ..old.clone()
            },
            None => self.new_service(name, draft, phases),
        };
        service.servers = self.match_servers(old.as_ref(), name, draft, phases);
        if let Some(range) = range {
            self.given_up.extend(service.range);
            service.range = range;
        }
        self.write_servers(name, &service, phases);
        self.write_table(name, &mut service, range.is_some(), phases);
        let record = self.service_record(name, &service);
        if self.installed.set_service(service.index, record) {
            phases.services.push(Write::Service(service.index, record));
        }
        for (addr, bits) in std::mem::take(&mut service.filtered) {
            self.filter.remove(addr, bits);
        }
        service.filtered = self.filter_bits(name, &service);
        for (addr, bits) in &service.filtered {
            self.filter.add(*addr, *bits);
        }
        self.services.insert(*name, service);
    }

    fn new_service(&mut self, name: &ServiceName, draft: &Draft, phases: &mut Phases) -> Service {
        let hinted = self.hints.service(name);
        let (index, found) = self.installed.take_service(hinted);
        if !found {
            phases.servers.push(Write::ResetService(index));
        }
        let order = self.next_order;
        self.next_order += 1;
        self.order.insert(order, *name);
        Service {
            index,
            order,
            spec: draft.spec.clone(),
            servers: Vec::new(),
            range: None,
            slots: None,
            filtered: Vec::new(),
        }
    }

    /// Servers that stay keep their index; new ones get one; the indices of those that go
    /// are freed.
    fn match_servers(
        &mut self,
        old: Option<&Service>,
        service: &ServiceName,
        draft: &Draft,
        phases: &mut Phases,
    ) -> Vec<Server> {
        let mut before: HashMap<ServerName, &Server> = old
            .into_iter()
            .flat_map(|old| old.servers.iter().map(|server| (server.name, server)))
            .collect();
        let servers = draft
            .servers
            .iter()
            .map(|(name, spec)| match before.remove(name) {
                Some(old) => Server {
                    spec: *spec,
                    ..old.clone()
                },
                None => self.new_server(service, name, spec, phases),
            })
            .collect();
        for server in before.into_values() {
            phases.gone.push(self.installed.free_server(server.index));
        }
        servers
    }

    fn new_server(
        &mut self,
        service: &ServiceName,
        name: &ServerName,
        spec: &ServerSpec,
        phases: &mut Phases,
    ) -> Server {
        let hinted = self.hints.server(service, name);
        let (index, found) = self.installed.take_server(hinted);
        if !found {
            phases.servers.push(Write::ResetServer(index));
        }
        Server {
            index,
            name: *name,
            spec: *spec,
            overloaded: false,
        }
    }

    fn write_servers(&mut self, name: &ServiceName, service: &Service, phases: &mut Phases) {
        for server in &service.servers {
            let generation = self.installed.generation(server.index);
            let record = self.server_record(service, name, server, generation);
            if self.installed.set_server(server.index, record) {
                phases.servers.push(Write::Server(server.index, record));
            }
        }
    }

    fn write_table(
        &mut self,
        name: &ServiceName,
        service: &mut Service,
        new_range: bool,
        phases: &mut Phases,
    ) {
        let members = members(service);
        if service.spec.scheduler != Scheduler::Slot {
            service.slots = None;
            if let Some((first, len)) = service.range {
                let entries = schedule::plan(service.spec.scheduler, &members, self.tuning.seed);
                debug_assert_eq!(entries.len(), len as usize);
                phases.entries.push(Write::Entries(first, entries));
            }
            return;
        }
        let Some((first, _)) = service.range else {
            service.slots = None;
            return;
        };
        let hinted = || self.hints.slots(name);
        let (mut slots, known) = match service.slots.take() {
            Some(slots) => (slots, !new_range),
            None => match hinted() {
                Some((slots, at)) => (slots, at == first),
                None => (SlotTable::default(), false),
            },
        };
        let changed = slots.assign(&members);
        if known {
            phases
                .entries
                .extend(runs(first, slots.entries(), &changed));
        } else {
            phases
                .entries
                .push(Write::Entries(first, slots.entries().to_vec()));
        }
        service.slots = Some(slots);
    }

    fn remove(&mut self, name: &ServiceName, phases: &mut Phases) {
        let Some(service) = self.services.remove(name) else {
            return;
        };
        self.order.remove(&service.order);
        self.given_up.extend(service.range);
        for (addr, bits) in service.filtered {
            self.filter.remove(addr, bits);
        }
        phases.gone.push(self.installed.free_service(service.index));
        for server in &service.servers {
            phases.gone.push(self.installed.free_server(server.index));
        }
    }

    /// Keys of all services that the list named: what they have now against what the map
    /// has.
    fn finish_keys(&mut self, drafts: &Drafts, phases: &mut Phases) {
        let mut wanted = HashMap::new();
        for name in &drafts.order {
            if let Some(service) = self.services.get(name) {
                for key in keys::all(name, &service.spec) {
                    wanted.insert(key, (*name, service.index));
                }
            }
        }
        for (key, (name, index)) in &wanted {
            self.keys.insert(*key, *name);
            if self.installed.set_key(*key, *index) {
                phases.keys.push(Write::Key(*key, *index));
            }
        }
        let stale: Vec<_> = self
            .keys
            .iter()
            .filter(|(key, owner)| {
                drafts.services.contains_key(*owner) && !wanted.contains_key(*key)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in stale {
            self.keys.remove(&key);
            self.installed.keys.remove(&key);
            phases.keys.push(Write::RemoveKey(key));
        }
    }

    /// Writes whatever the environment changes: records of servers and services, filter.
    pub(super) fn refresh(&mut self) -> Vec<Write> {
        let mut phases = Phases::default();
        let names: Vec<_> = self.order.values().copied().collect();
        for name in names {
            let mut service = self
                .services
                .remove(&name)
                .expect("the order names services");
            self.write_servers(&name, &service, &mut phases);
            let record = self.service_record(&name, &service);
            if self.installed.set_service(service.index, record) {
                phases.services.push(Write::Service(service.index, record));
            }
            for (addr, bits) in std::mem::take(&mut service.filtered) {
                self.filter.remove(addr, bits);
            }
            service.filtered = self.filter_bits(&name, &service);
            for (addr, bits) in &service.filtered {
                self.filter.add(*addr, *bits);
            }
            self.services.insert(name, service);
        }
        phases.filter = self.filter.writes();
        phases.in_order()
    }
}

/// How many entries a service's table has.
fn table_len(draft: &Draft) -> u32 {
    if draft.spec.scheduler == Scheduler::Slot {
        // Also with all servers at weight 0: previous owners go on.
        return if draft.servers.is_empty() { 0 } else { SLOTS };
    }
    let taking: Vec<Member> = draft
        .servers
        .iter()
        .filter(|(_, spec)| spec.weight > 0)
        .map(|(name, spec)| Member {
            index: 1,
            weight: spec.weight,
            name: *name,
        })
        .collect();
    let len = match draft.spec.scheduler {
        _ if taking.is_empty() => 0,
        Scheduler::Rr | Scheduler::Lc | Scheduler::Wlc => taking.len(),
        Scheduler::Wrr => schedule::turn::weighted(&taking).len(),
        Scheduler::Sh => schedule::hashed::BUCKETS,
        Scheduler::Mh => schedule::maglev::SIZE,
        Scheduler::Slot => SLOTS as usize,
    };
    len as u32
}

fn members(service: &Service) -> Vec<Member> {
    let member = |server: &Server| Member {
        index: server.index,
        weight: server.spec.weight,
        name: server.name,
    };
    service.servers.iter().map(member).collect()
}

/// Changed entries as runs of neighbours.
fn runs(first: u32, entries: &[u32], changed: &[u32]) -> Vec<Write> {
    changed
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| {
            let values = run.iter().map(|slot| entries[*slot as usize]).collect();
            Write::Entries(first + run[0], values)
        })
        .collect()
}

impl Installed {
    pub(super) fn empty() -> Self {
        Self {
            services: vec![service::Service::default(); limits::SERVICES],
            servers: vec![server::Server::default(); limits::SERVERS],
            free_services: (1..limits::SERVICES as u32).collect(),
            free_servers: (1..=(limits::SERVERS - 1) as u16).collect(),
            ..Self::default()
        }
    }

    fn end_rest(&mut self) {
        self.free_services.extend(self.resting_services.drain(..));
        self.free_servers.extend(self.resting_servers.drain(..));
    }

    /// An index for a service; true: it is the hinted one, with its counts.
    fn take_service(&mut self, hinted: Option<u32>) -> (u32, bool) {
        if let Some(index) = hinted
            && self.former_services.remove(&index)
        {
            return (index, true);
        }
        // Resting indices were counted as free when the list was checked.
        let index = self
            .free_services
            .pop_first()
            .or_else(|| self.resting_services.pop());
        (index.expect("checked"), false)
    }

    fn take_server(&mut self, hinted: Option<u16>) -> (u16, bool) {
        if let Some(index) = hinted
            && self.former_servers.remove(&index)
        {
            return (index, true);
        }
        let index = self
            .free_servers
            .pop_first()
            .or_else(|| self.resting_servers.pop());
        let index = index.expect("checked");
        let record = &mut self.servers[usize::from(index)];
        record.generation = record.generation.wrapping_add(1);
        (index, false)
    }

    pub(super) fn generation(&self, index: u16) -> u16 {
        self.servers[usize::from(index)].generation
    }

    /// Whether it has to be written.
    pub(super) fn set_server(&mut self, index: u16, record: server::Server) -> bool {
        let place = &mut self.servers[usize::from(index)];
        std::mem::replace(place, record) != record
    }

    pub(super) fn set_service(&mut self, index: u32, record: service::Service) -> bool {
        let place = &mut self.services[index as usize];
        std::mem::replace(place, record) != record
    }

    fn set_key(&mut self, key: service::ServiceKey, index: u32) -> bool {
        self.keys.insert(key, index) != Some(index)
    }

    pub(super) fn free_server(&mut self, index: u16) -> Write {
        let generation = self.generation(index);
        let record = server::Server {
            generation,
            ..server::Server::default()
        };
        self.servers[usize::from(index)] = record;
        self.resting_servers.push(index);
        Write::Server(index, record)
    }

    pub(super) fn free_service(&mut self, index: u32) -> Write {
        self.services[index as usize] = service::Service::default();
        self.resting_services.push(index);
        Write::Service(index, service::Service::default())
    }
}
