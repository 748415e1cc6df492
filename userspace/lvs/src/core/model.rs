use std::collections::{BTreeMap, BTreeSet, HashMap};

use ssi_abi::conn::state;
use ssi_abi::service::ServiceKey;
use ssi_abi::settings::{Settings, TIMEOUT_SECONDS};
use ssi_abi::{filter, flow};
use ssi_api::lvs::{Command, ServerName, ServerSpec, ServiceName, ServiceSpec, Timeouts};

use super::Write;
use super::absent::Absent;
use super::adopt::Hints;
use super::allocator::Allocator;
use super::environment::Environment;
use super::filter::Filter;
use super::installed::Installed;
use super::schedule::slot::SlotTable;

/// What a model is made with.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Keys the flow hash; the same on all nodes of the cluster.
    pub seed: u64,
    /// Jiffies a second.
    pub hz: u32,
    /// Entries of the scheduling tables.
    pub table_entries: u32,
    /// This node's number, 0 for none.
    pub node: u32,
}

/// All virtual services and real servers, and what the maps hold because of them.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) tuning: Tuning,
    pub(super) environment: Environment,
    pub(super) services: HashMap<ServiceName, Service>,
    /// Services in the order they were added.
    pub(super) order: BTreeMap<u64, ServiceName>,
    pub(super) next_order: u64,
    pub(super) keys: HashMap<ServiceKey, ServiceName>,
    pub(super) seconds: [u32; state::COUNT],
    pub(super) tables: Allocator,
    /// Table ranges given up by the last commit: a packet in flight may still read them,
    /// so they are reused only after the next.
    pub(super) given_up: Vec<(u32, u32)>,
    pub(super) filter: Filter,
    pub(super) installed: Installed,
    pub(super) hints: Hints,
    /// The last entry of the agreed log that is in it; 0: none.
    pub(super) epoch: u64,
    pub(super) absent: Absent,
    /// Services for whose table there is no room on this node.
    pub(super) starved: BTreeSet<ServiceName>,
}

/// A virtual service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) index: u32,
    pub(super) order: u64,
    pub(super) spec: ServiceSpec,
    pub(super) servers: Vec<Server>,
    /// First entry and length of its table; none while no server takes connections, and
    /// while there is no room for it.
    pub(super) range: Option<(u32, u32)>,
    /// Its table, to tell what changes: for slot with its history.
    pub(super) slots: Option<SlotTable>,
    /// What it has in the filter, to take it out again.
    pub(super) filtered: Vec<(ssi_abi::Addr, u32)>,
}

/// A real server of a service.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) index: u16,
    pub(super) name: ServerName,
    pub(super) spec: ServerSpec,
    pub(super) overloaded: bool,
}

impl Model {
    /// No services, no servers; the maps are taken to be empty.
    #[must_use]
    pub fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            environment: Environment::default(),
            services: HashMap::new(),
            order: BTreeMap::new(),
            next_order: 0,
            keys: HashMap::new(),
            seconds: TIMEOUT_SECONDS,
            tables: Allocator::new(tuning.table_entries),
            given_up: Vec::new(),
            filter: Filter::default(),
            installed: Installed::empty(),
            hints: Hints::default(),
            epoch: 0,
            absent: Absent::default(),
            starved: BTreeSet::new(),
        }
    }

    /// The settings record as it is to stand in the map.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            seed: self.tuning.seed,
            timeouts: self
                .seconds
                .map(|seconds| seconds.saturating_mul(self.tuning.hz)),
            ttl: 64,
            hz: self.tuning.hz,
            node: self.tuning.node,
            copies: self.tuning.hz / flow::HOLDS,
            pad: 0,
        }
    }

    /// Timeouts in seconds, by [`ssi_abi::conn::state`].
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        Timeouts {
            tcp: self.seconds[usize::from(state::ESTABLISHED)],
            tcp_fin: self.seconds[usize::from(state::FIN)],
            udp: self.seconds[usize::from(state::IDLE)],
        }
    }

    pub(super) fn set_timeouts(&mut self, timeouts: &Timeouts) -> Write {
        for (state, seconds) in [
            (state::ESTABLISHED, timeouts.tcp),
            (state::FIN, timeouts.tcp_fin),
            (state::IDLE, timeouts.udp),
        ] {
            if seconds != 0 {
                self.seconds[usize::from(state)] = seconds;
            }
        }
        Write::Settings(self.settings())
    }

    /// Tells what has changed around the node; returns what that changes in the maps.
    pub fn set_environment(&mut self, environment: Environment) -> Vec<Write> {
        self.surround(environment);
        self.refresh()
    }

    /// Cluster addresses are in the filter whether or not a service is known here: a
    /// tunnel is opened only if what is inside is for an address in the filter.
    pub(super) fn surround(&mut self, environment: Environment) {
        let former = std::mem::replace(&mut self.environment, environment);
        for cvip in self.environment.cvips.keys() {
            self.filter.add((*cvip).into(), filter::VIRTUAL);
        }
        for cvip in former.cvips.into_keys() {
            self.filter.remove(cvip.into(), filter::VIRTUAL);
        }
        for own in &self.environment.interconnect {
            self.filter.add((*own).into(), filter::NODE);
        }
        for own in former.interconnect {
            self.filter.remove(own.into(), filter::NODE);
        }
    }

    /// What was told last.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The last entry of the agreed log that this model has taken in; 0: none.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The key of the flow hash.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.tuning.seed
    }

    /// Which nodes take no new connections.
    #[must_use]
    pub fn absent(&self) -> &Absent {
        &self.absent
    }

    /// Services that all nodes agreed on, but that this node has no room for the table
    /// of: it can't direct them.
    #[must_use]
    pub fn starved(&self) -> &BTreeSet<ServiceName> {
        &self.starved
    }

    /// How many virtual services there are, and how many real servers together.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (
            self.services.len(),
            self.services
                .values()
                .map(|service| service.servers.len())
                .sum(),
        )
    }

    /// The addresses of all real servers.
    pub fn server_addresses(&self) -> impl Iterator<Item = std::net::IpAddr> {
        self.services
            .values()
            .flat_map(|s| s.servers.iter().map(|server| server.name.addr))
    }

    /// The index of a service in the maps.
    #[must_use]
    pub fn service_index(&self, name: &ServiceName) -> Option<u32> {
        self.services.get(name).map(|service| service.index)
    }

    /// The index of every service in the maps.
    pub fn service_indices(&self) -> impl Iterator<Item = u32> {
        self.services.values().map(|service| service.index)
    }

    /// The commands that make this model from nothing, timeouts included.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        let mut commands = vec![Command::SetTimeouts {
            timeouts: self.timeouts(),
        }];
        for name in self.order.values() {
            let service = &self.services[name];
            commands.push(Command::AddService {
                service: *name,
                spec: service.spec.clone(),
            });
            commands.extend(service.servers.iter().map(|server| Command::AddServer {
                service: *name,
                server: server.name,
                spec: server.spec,
            }));
        }
        commands
    }
}
