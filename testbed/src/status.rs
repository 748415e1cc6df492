//! What is running, for people and for programs.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Serialize;

use crate::plan::{EXTERNAL, INTERCONNECT, MOST, Machine, Net, cvips};
use crate::state::{self, State};
use crate::{cluster, fault, form};

/// The whole testbed. Fields are only ever added.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Of this format.
    pub version: u32,
    /// How packets reach the programs: `auto`, `native`, `generic` or `tc`.
    pub mode: String,
    /// The nodes that are or were up.
    pub nodes: Vec<NodeStatus>,
    /// The host outside.
    pub client: ClientStatus,
    /// The cluster's addresses.
    pub cvip: Vec<CvipStatus>,
    /// Interface names on each node.
    pub interfaces: Interfaces,
    /// Faults in force, in words.
    pub faults: Vec<String>,
}

/// A node.
#[derive(Debug, Serialize)]
pub struct NodeStatus {
    /// 1 to 15.
    pub number: u8,
    /// Its host name.
    pub name: String,
    /// `up`, `paused` or `down`.
    pub state: &'static str,
    /// Process id of its init, 0 if it is down.
    pub pid: i32,
    /// Process id of its `ssid`, as this machine counts, 0 if there is none.
    pub daemon: i32,
    /// Its addresses towards the other nodes.
    pub interconnect: [IpAddr; 2],
    /// Its addresses towards the outside.
    pub external: [IpAddr; 2],
    /// Its network namespace, for `ip netns exec`.
    pub netns: String,
    /// Its console log.
    pub log: PathBuf,
    /// Its private files.
    pub directory: PathBuf,
}

/// The host outside.
#[derive(Debug, Serialize)]
pub struct ClientStatus {
    /// Process id of its init.
    pub pid: i32,
    /// Its addresses.
    pub addresses: [IpAddr; 2],
    /// Its network namespace.
    pub netns: String,
}

/// One of the cluster's addresses.
#[derive(Debug, Serialize)]
pub struct CvipStatus {
    /// The address.
    pub address: IpAddr,
    /// Number of the node that directs it, 0 if nobody does.
    pub director: u8,
}

/// Interface names.
#[derive(Debug, Serialize)]
pub struct Interfaces {
    /// To the other nodes.
    pub interconnect: &'static str,
    /// To the outside.
    pub external: &'static str,
}

/// The status of a cluster.
#[must_use]
pub fn of(state: &State) -> Status {
    let nodes = (1..=MOST).filter(|number| state.known.contains(number));
    let view = form::agreed(state);
    let director = |address: IpAddr| {
        let name = format!("cvip {address}");
        let owned = view.iter().flat_map(|view| &view.resources);
        let owner = owned
            .filter(|owned| owned.name == name)
            .find_map(|owned| owned.owner);
        owner
            .and_then(|owner| u8::try_from(owner).ok())
            .unwrap_or(0)
    };
    Status {
        version: 1,
        mode: state.wish.mode.clone(),
        nodes: nodes.map(|number| node_status(state, number)).collect(),
        client: ClientStatus {
            pid: state.init_of(Machine::Client).unwrap_or(0),
            addresses: Machine::Client.addresses(Net::External),
            netns: Machine::Client.netns(),
        },
        cvip: cvips()
            .into_iter()
            .map(|address| CvipStatus {
                address,
                director: director(address),
            })
            .collect(),
        interfaces: Interfaces {
            interconnect: INTERCONNECT,
            external: EXTERNAL,
        },
        faults: fault::list(state),
    }
}

fn node_status(state: &State, number: u8) -> NodeStatus {
    let machine = Machine::Node(number);
    let pid = state
        .init_of(machine)
        .filter(|_| cluster::up(state, machine));
    let condition = match pid {
        None => "down",
        Some(_) if state.paused.contains(&machine) => "paused",
        Some(_) => "up",
    };
    NodeStatus {
        number,
        name: machine.name(),
        state: condition,
        pid: pid.unwrap_or(0),
        daemon: pid
            .and_then(|pid| fault::named(pid, "ssid").first().copied())
            .unwrap_or(0),
        interconnect: machine.addresses(Net::Interconnect),
        external: machine.addresses(Net::External),
        netns: machine.netns(),
        log: state::log(machine),
        directory: state::directory(machine),
    }
}
