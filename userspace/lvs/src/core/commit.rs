//! From drafts to writes. Nothing here can fail.

use std::collections::HashMap;

use ssi_abi::server::{Server as ServerRecord, flag};
use ssi_api::lvs::{Command, ServerName, ServerSpec, ServiceName};

use super::Write;
use super::draft::{Draft, Drafts};
use super::error::Refused;
use super::keys;
use super::model::{Model, Server, Service};

/// Writes by the phase in which they are safe for packets in flight.
#[derive(Default)]
pub(super) struct Phases {
    servers: Vec<Write>,
    remembered: Vec<Write>,
    pub(super) entries: Vec<Write>,
    services: Vec<Write>,
    /// Servers that take no more new connections: others have their slots by then, so that
    /// what opens one meanwhile is not turned away.
    drained: Vec<Write>,
    keys: Vec<Write>,
    filter: Vec<Write>,
    gone: Vec<Write>,
    rest: Vec<Write>,
}

impl Phases {
    fn in_order(self) -> Vec<Write> {
        [
            self.servers,
            self.remembered,
            self.entries,
            self.services,
            self.drained,
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
        let drafts = self.drafts(commands)?;
        Ok(self.carry_out(drafts, commands))
    }

    /// Whether this node could carry out a list of commands, as things are.
    ///
    /// # Errors
    /// [`Refused`]: which command, and why.
    pub fn check(&self, commands: &[Command]) -> Result<(), Refused> {
        self.drafts(commands).map(drop)
    }

    fn drafts(&self, commands: &[Command]) -> Result<Drafts, Refused> {
        let drafts = Drafts::of(self, commands)?;
        self.room(&drafts).map_err(|full| Refused {
            command: None,
            reason: full.into(),
        })?;
        Ok(drafts)
    }

    /// Does what was checked. Nothing can stop it: a service for whose table there is no
    /// room goes without.
    pub(super) fn carry_out(&mut self, mut drafts: Drafts, commands: &[Command]) -> Vec<Write> {
        let mut writes = Vec::new();
        if drafts.crowded(self) {
            let removals = drafts.removals(self);
            writes = self.commit(&removals).in_order();
        }
        for name in self.starved.clone() {
            drafts.keep(self, &name);
        }
        let mut phases = self.commit(&drafts);
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
        writes.extend(phases.in_order());
        writes
    }

    fn commit(&mut self, drafts: &Drafts) -> Phases {
        self.end_rest();
        let mut ranges = self.reserve(drafts);
        let mut phases = Phases::default();
        for name in &drafts.order {
            match &drafts.services[name] {
                Some(draft) => self.install(name, draft, ranges.remove(name), &mut phases),
                None => self.remove(name, &mut phases),
            }
        }
        self.finish_keys(drafts, &mut phases);
        (phases.remembered, phases.filter) = self.filter.writes();
        phases
    }

    /// Tries again to find room for the tables that there was none for.
    pub fn feed(&mut self) -> Vec<Write> {
        if self.starved.is_empty() {
            return Vec::new();
        }
        self.carry_out(Drafts::default(), &[])
    }

    /// What the last commit gave up has rested: nobody reads it any more.
    fn end_rest(&mut self) {
        for (first, len) in std::mem::take(&mut self.given_up) {
            self.tables.give(first, len);
        }
        self.installed.end_rest();
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
        self.write_table(name, &mut service, draft, range.is_some(), phases);
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
            let installed = *self.installed.server(server.index);
            let generation = installed.generation;
            let mut record = self.server_record(service, name, server, generation);
            if record.flags & flag::DOWN != 0 && installed.flags & flag::DOWN == 0 {
                // What is remembered of its connections is over, also when it comes back.
                record.generation = generation.wrapping_add(1);
            }
            if self.installed.set_server(server.index, record) {
                let write = Write::Server(server.index, record);
                if is_drained(&installed, &record) {
                    phases.drained.push(write);
                } else {
                    phases.servers.push(write);
                }
            }
        }
    }

    fn remove(&mut self, name: &ServiceName, phases: &mut Phases) {
        let Some(service) = self.services.remove(name) else {
            return;
        };
        self.order.remove(&service.order);
        self.starved.remove(name);
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
        (phases.remembered, phases.filter) = self.filter.writes();
        phases.in_order()
    }
}

/// Whether a server takes no more new connections, and is the same in everything else.
fn is_drained(before: &ServerRecord, after: &ServerRecord) -> bool {
    let weight = before.weight;
    weight != 0 && after.weight == 0 && ServerRecord { weight, ..*after } == *before
}
