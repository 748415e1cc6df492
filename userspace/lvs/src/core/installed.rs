//! What the maps hold, index by index, and which indices are free.

use std::collections::{BTreeSet, HashMap};

use ssi_abi::service::ServiceKey;
use ssi_abi::{limits, server, service};

use super::Write;

/// What the maps hold, index by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Installed {
    pub(super) services: Vec<service::Service>,
    pub(super) servers: Vec<server::Server>,
    pub(super) keys: HashMap<ServiceKey, u32>,
    pub(super) free_services: BTreeSet<u32>,
    pub(super) free_servers: BTreeSet<u16>,
    /// In use before a restart, and not claimed yet by their former owners.
    pub(super) former_services: BTreeSet<u32>,
    pub(super) former_servers: BTreeSet<u16>,
    /// Given up by the last commit; see `given_up` of the model.
    pub(super) resting_services: Vec<u32>,
    pub(super) resting_servers: Vec<u16>,
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

    pub(super) fn end_rest(&mut self) {
        self.free_services.extend(self.resting_services.drain(..));
        self.free_servers.extend(self.resting_servers.drain(..));
    }

    /// An index for a service; true: it is the hinted one, with its counts.
    pub(super) fn take_service(&mut self, hinted: Option<u32>) -> (u32, bool) {
        if let Some(index) = hinted
            && self.former_services.remove(&index)
        {
            return (index, true);
        }
        // Only a restart with quite another configuration than the maps' can need one that
        // was in use.
        let index = self
            .free_services
            .pop_first()
            .or_else(|| self.former_services.pop_first());
        (index.expect("counted before"), false)
    }

    pub(super) fn take_server(&mut self, hinted: Option<u16>) -> (u16, bool) {
        if let Some(index) = hinted
            && self.former_servers.remove(&index)
        {
            return (index, true);
        }
        let index = self
            .free_servers
            .pop_first()
            .or_else(|| self.former_servers.pop_first());
        let index = index.expect("counted before");
        let record = &mut self.servers[usize::from(index)];
        record.generation = record.generation.wrapping_add(1);
        (index, false)
    }

    pub(super) fn server(&self, index: u16) -> &server::Server {
        &self.servers[usize::from(index)]
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

    pub(super) fn set_key(&mut self, key: ServiceKey, index: u32) -> bool {
        self.keys.insert(key, index) != Some(index)
    }

    pub(super) fn free_server(&mut self, index: u16) -> Write {
        let generation = self.server(index).generation;
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
