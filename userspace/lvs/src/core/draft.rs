//! What a list of commands asks for, checked command by command, before anything is
//! touched: only the services that the list names are copied.

use std::collections::{HashMap, HashSet};

use ssi_abi::limits;
use ssi_abi::service::ServiceKey;
use ssi_api::lvs::{Command, Scheduler, ServerName, ServerSpec, ServiceName, ServiceSpec};

use super::check;
use super::error::{Reason, Refused};
use super::keys;
use super::model::Model;
use super::packed::Packed;

/// Most services with the scheduler slot: 256 MiB of memory.
const MOST_SLOT_TABLES: usize = 1_024;

/// A service as it shall be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) spec: ServiceSpec,
    pub(super) servers: Vec<(ServerName, ServerSpec)>,
    /// It was deleted and added again within the list: nothing of the old one stays.
    pub(super) anew: bool,
    /// Its slots as others have them; none: by the history that is known here.
    pub(super) slots: Option<Packed>,
}

/// What the list makes of each service it names; none: it goes.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) services: HashMap<ServiceName, Option<Draft>>,
    /// In the order they were first named.
    pub(super) order: Vec<ServiceName>,
    claimed: HashMap<ServiceKey, Option<ServiceName>>,
}

impl Drafts {
    /// Carries out the list on copies.
    pub(super) fn of(model: &Model, commands: &[Command]) -> Result<Self, Refused> {
        let mut drafts = Self::default();
        for (at, command) in commands.iter().enumerate() {
            drafts.carry_out(model, command).map_err(|reason| Refused {
                command: Some(at),
                reason,
            })?;
        }
        drafts.fits(model).map_err(|reason| Refused {
            command: None,
            reason,
        })?;
        Ok(drafts)
    }

    /// A service that exists, as it is.
    pub(super) fn keep(&mut self, model: &Model, name: &ServiceName) {
        // It exists: there is no reason to refuse.
        let _ = self.draft(model, name);
    }

    fn carry_out(&mut self, model: &Model, command: &Command) -> Result<(), Reason> {
        match command {
            Command::AddService { service, spec } => self.add_service(model, service, spec),
            Command::EditService { service, spec } => {
                check::service(service, spec)?;
                let draft = self.draft(model, service)?;
                let old = std::mem::replace(&mut draft.spec, spec.clone());
                for (server, spec) in draft.servers.clone() {
                    check::server(service, &server, &spec)?;
                }
                self.release(service, &old);
                self.claim(model, service, spec)
            }
            Command::DeleteService { service } => {
                let old = self.draft(model, service)?.spec.clone();
                self.release(service, &old);
                self.services.insert(*service, None);
                Ok(())
            }
            Command::Clear => {
                let mut names: Vec<_> = model.order.values().copied().collect();
                names.extend(self.order.iter().copied());
                for name in names {
                    if let Ok(draft) = self.draft(model, &name) {
                        let old = draft.spec.clone();
                        self.release(&name, &old);
                        self.services.insert(name, None);
                    }
                }
                Ok(())
            }
            Command::AddServer {
                service,
                server,
                spec,
            } => {
                check::server(service, server, spec)?;
                let draft = self.draft(model, service)?;
                if draft.servers.iter().any(|(name, _)| name == server) {
                    return Err(Reason::ServerExists(*service, *server));
                }
                draft.servers.push((*server, *spec));
                Ok(())
            }
            Command::EditServer {
                service,
                server,
                spec,
            } => {
                check::server(service, server, spec)?;
                let draft = self.draft(model, service)?;
                let found = draft.servers.iter_mut().find(|(name, _)| name == server);
                found.ok_or(Reason::NoServer(*service, *server))?.1 = *spec;
                Ok(())
            }
            Command::DeleteServer { service, server } => {
                let draft = self.draft(model, service)?;
                let before = draft.servers.len();
                draft.servers.retain(|(name, _)| name != server);
                if draft.servers.len() == before {
                    return Err(Reason::NoServer(*service, *server));
                }
                Ok(())
            }
            Command::Zero {
                service: Some(service),
            } => self.draft(model, service).map(drop),
            Command::Zero { service: None } | Command::SetTimeouts { .. } => Ok(()),
        }
    }

    fn add_service(
        &mut self,
        model: &Model,
        name: &ServiceName,
        spec: &ServiceSpec,
    ) -> Result<(), Reason> {
        check::service(name, spec)?;
        if self.draft(model, name).is_ok() {
            return Err(Reason::ServiceExists(*name));
        }
        self.claim(model, name, spec)?;
        let draft = Draft {
            spec: spec.clone(),
            servers: Vec::new(),
            anew: true,
            slots: None,
        };
        if self.services.insert(*name, Some(draft)).is_none() {
            self.order.push(*name);
        }
        Ok(())
    }

    /// The draft of a service that exists.
    fn draft(&mut self, model: &Model, name: &ServiceName) -> Result<&mut Draft, Reason> {
        if !self.services.contains_key(name) {
            let service = model.services.get(name).ok_or(Reason::NoService(*name))?;
            let servers = service
                .servers
                .iter()
                .map(|server| (server.name, server.spec))
                .collect();
            let draft = Draft {
                spec: service.spec.clone(),
                servers,
                anew: false,
                slots: None,
            };
            self.services.insert(*name, Some(draft));
            self.order.push(*name);
        }
        let draft = self.services.get_mut(name).expect("just made");
        draft.as_mut().ok_or(Reason::NoService(*name))
    }

    fn claim(
        &mut self,
        model: &Model,
        name: &ServiceName,
        spec: &ServiceSpec,
    ) -> Result<(), Reason> {
        for key in keys::all(name, spec) {
            let owner = match self.claimed.get(&key) {
                Some(owner) => owner.as_ref(),
                None => model.keys.get(&key),
            };
            if let Some(owner) = owner
                && owner != name
            {
                return Err(Reason::Taken {
                    addr: key.addr.into(),
                    port: u16::from_be(key.port),
                    owner: *owner,
                });
            }
            self.claimed.insert(key, Some(*name));
        }
        Ok(())
    }

    fn release(&mut self, name: &ServiceName, spec: &ServiceSpec) {
        self.claimed
            .extend(keys::all(name, spec).into_iter().map(|key| (key, None)));
    }

    /// Whether there is room for all of it.
    fn fits(&self, model: &Model) -> Result<(), Reason> {
        self.slots_fit(model)?;
        let (mut services, mut servers) = model.size();
        for name in &self.order {
            let draft = &self.services[name];
            if let Some(old) = model.services.get(name) {
                services -= 1;
                servers -= old.servers.len();
            }
            if let Some(draft) = draft {
                services += 1;
                servers += draft.servers.len();
                check::comparable(name, draft)?;
            }
        }
        if services > limits::SERVICES - 1 {
            return Err(Reason::Services(limits::SERVICES - 1));
        }
        if servers > limits::SERVERS - 1 {
            return Err(Reason::Servers(limits::SERVERS - 1));
        }
        let added = self
            .claimed
            .iter()
            .filter(|(key, owner)| owner.is_some() && !model.keys.contains_key(*key));
        let removed = self
            .claimed
            .iter()
            .filter(|(key, owner)| owner.is_none() && model.keys.contains_key(*key));
        if model.keys.len() + added.count() - removed.count() > limits::SERVICE_KEYS {
            return Err(Reason::Keys(limits::SERVICE_KEYS));
        }
        Ok(())
    }

    /// Slot tables are kept in memory on every node, whether or not it has room for them
    /// in its map.
    fn slots_fit(&self, model: &Model) -> Result<(), Reason> {
        let by_slot = |draft: &&Draft| draft.spec.scheduler == Scheduler::Slot;
        let drafts = self.services.values().flatten().filter(by_slot).count();
        if drafts == 0 {
            return Ok(());
        }
        let others = model.services.iter().filter(|(name, service)| {
            service.spec.scheduler == Scheduler::Slot && !self.services.contains_key(*name)
        });
        if drafts + others.count() > MOST_SLOT_TABLES {
            return Err(Reason::SlotTables(MOST_SLOT_TABLES));
        }
        Ok(())
    }

    /// Whether more places are wanted than are free before others are given up.
    pub(super) fn crowded(&self, model: &Model) -> bool {
        let (mut services, mut servers) = model.size();
        for (name, draft) in &self.services {
            let Some(draft) = draft else { continue };
            match model.services.get(name).filter(|_| !draft.anew) {
                Some(old) => {
                    let known: HashSet<ServerName> = old.servers.iter().map(|s| s.name).collect();
                    let new = draft.servers.iter().filter(|(s, _)| !known.contains(s));
                    servers += new.count();
                }
                None => {
                    services += 1;
                    servers += draft.servers.len();
                }
            }
        }
        services > limits::SERVICES - 1 || servers > limits::SERVERS - 1
    }

    /// Only what the list takes away.
    pub(super) fn removals(&self, model: &Model) -> Self {
        let mut removals = Self::default();
        for name in &self.order {
            removals.keep(model, name);
            let Some(Some(now)) = removals.services.get_mut(name) else {
                continue;
            };
            match &self.services[name] {
                Some(draft) if !draft.anew => {
                    let stay: HashSet<ServerName> = draft.servers.iter().map(|s| s.0).collect();
                    now.servers.retain(|(server, _)| stay.contains(server));
                }
                _ => drop(removals.services.insert(*name, None)),
            }
        }
        removals
    }
}
