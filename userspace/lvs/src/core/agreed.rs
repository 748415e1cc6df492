//! What all nodes of a cluster agree on: for the disk, and for a node that missed some of
//! how it came about.

use serde::{Deserialize, Serialize};
use ssi_api::lvs::{Command, ServerName, ServerSpec, ServiceName, ServiceSpec, Timeouts};
use thiserror::Error;

use super::absent::Absent;
use super::error::Refused;
use super::packed::{Damaged, Packed};

/// Of the format.
pub(super) const VERSION: u32 = 2;
/// The first format had only the commands.
const FIRST: u32 = 1;
/// Most bytes that are looked at: 16,383 services and 32,767 servers take about 10 MiB,
/// slot tables at most 350 KiB each, mostly 2 to 150 KiB.
pub const MOST: usize = 64 << 20;

/// All of it, at one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Of the format.
    pub version: u32,
    /// Of the last entry of the log that is in it; 0: of no cluster.
    pub epoch: u64,
    /// Keys the flow hash.
    pub seed: u64,
    /// Connection timeouts.
    pub timeouts: Timeouts,
    /// Nodes that take no new connections.
    pub absent: Absent,
    /// In the order they were added.
    pub services: Vec<AgreedService>,
}

/// A virtual service with its servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedService {
    /// Which.
    pub name: ServiceName,
    /// How.
    pub spec: ServiceSpec,
    /// In the order they were added.
    pub servers: Vec<(ServerName, ServerSpec)>,
    /// Who owns its slots; none: it has no slot table, or keeps the one that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Packed>,
}

/// It can't be taken over; nothing changed.
#[derive(Debug, Error)]
pub enum Unusable {
    /// More bytes than there can be.
    #[error("{0} bytes; there can be {MOST}")]
    TooLong(usize),
    /// Not what is written.
    #[error("{0}")]
    Text(#[from] serde_json::Error),
    /// Written by a later release.
    #[error("it is of format version {0}; this release knows {VERSION}")]
    Version(u32),
    /// A slot table.
    #[error("{0}: {1}")]
    Slots(ServiceName, Damaged),
    /// What it has can't be.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// Older than what this node has.
    #[error("it is of epoch {of}; this node is at epoch {at}")]
    Old {
        /// Its epoch.
        of: u64,
        /// This node's.
        at: u64,
    },
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The first format.
#[derive(Deserialize)]
struct First {
    commands: Vec<Command>,
}

impl Agreed {
    /// Reads what [`Agreed::write`] wrote, here or elsewhere. Whether it can be is seen
    /// when a model takes it over.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        if bytes.len() > MOST {
            return Err(Unusable::TooLong(bytes.len()));
        }
        match serde_json::from_slice::<Version>(bytes)?.version {
            VERSION => Ok(serde_json::from_slice(bytes)?),
            FIRST => Ok(Self::of(serde_json::from_slice::<First>(bytes)?.commands)),
            other => Err(Unusable::Version(other)),
        }
    }

    /// As bytes: JSON.
    ///
    /// # Errors
    /// None that is known of; the library's.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// From the commands that make the services, each before its servers.
    pub(super) fn of(commands: Vec<Command>) -> Self {
        let mut agreed = Self {
            version: VERSION,
            epoch: 0,
            seed: 0,
            timeouts: Timeouts {
                tcp: 0,
                tcp_fin: 0,
                udp: 0,
            },
            absent: Absent::default(),
            services: Vec::new(),
        };
        for command in commands {
            match command {
                Command::SetTimeouts { timeouts } => agreed.timeouts = timeouts,
                Command::AddService { service, spec } => agreed.services.push(AgreedService {
                    name: service,
                    spec,
                    servers: Vec::new(),
                    slots: None,
                }),
                Command::AddServer { server, spec, .. } => {
                    if let Some(service) = agreed.services.last_mut() {
                        service.servers.push((server, spec));
                    }
                }
                _ => {}
            }
        }
        agreed
    }

    /// The commands that make it from nothing, but for the slots' history.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        let mut commands = vec![Command::SetTimeouts {
            timeouts: self.timeouts,
        }];
        for service in &self.services {
            let name = service.name;
            commands.push(Command::AddService {
                service: name,
                spec: service.spec.clone(),
            });
            let servers = service.servers.iter();
            commands.extend(servers.map(|(server, spec)| Command::AddServer {
                service: name,
                server: *server,
                spec: *spec,
            }));
        }
        commands
    }
}
