//! A real cluster to measure in: three nodes and a client of the testbed.

use std::net::Ipv4Addr;
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use crate::testbed::{Running, enter, start, testbed};

/// Which node balances; the others serve.
pub(crate) const DIRECTOR: &str = "1";
/// Those that serve.
pub(crate) const SERVERS: [u8; 2] = [2, 3];

/// The cluster; it is stopped when this is dropped, or when the user interrupts.
#[derive(Debug)]
pub(crate) struct Site {
    status: Status,
    _running: Running,
}

#[derive(Debug, Deserialize)]
struct Status {
    nodes: Vec<Node>,
    client: Client,
    cvip: Vec<Cvip>,
}

#[derive(Debug, Deserialize)]
struct Node {
    number: u8,
    pid: u32,
}

#[derive(Debug, Deserialize)]
struct Client {
    pid: u32,
}

#[derive(Debug, Deserialize)]
struct Cvip {
    address: std::net::IpAddr,
}

impl Site {
    /// Boots the cluster. Refused if one is running.
    pub(crate) fn boot() -> Result<Self> {
        let running = start(3, &[])?;
        let status = testbed(&["status", "-o", "json"], "")?;
        Ok(Self {
            status: serde_json::from_str(&status).context("ssi-testbed status")?,
            _running: running,
        })
    }

    /// Runs a shell's command line on a machine.
    pub(crate) fn sh(&self, machine: &str, script: &str, input: &str) -> Result<String> {
        testbed(&["exec", machine, "sh", "-ec", script], input)
    }

    /// The cluster's address.
    pub(crate) fn cvip(&self) -> Result<Ipv4Addr> {
        let all = self.status.cvip.iter().map(|cvip| cvip.address);
        all.into_iter()
            .find_map(|address| match address {
                std::net::IpAddr::V4(address) => Some(address),
                std::net::IpAddr::V6(_) => None,
            })
            .context("the testbed has an IPv4 address for the cluster")
    }

    /// Makes this thread one of a node.
    pub(crate) fn enter_node(&self, number: u8) -> Result<()> {
        let node = self.status.nodes.iter().find(|node| node.number == number);
        enter(node.context("the node is there")?.pid)
    }

    /// Runs `work` on a thread that is on the client.
    pub(crate) fn on_client<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let pid = self.status.client.pid;
        thread::scope(|scope| {
            let client = scope.spawn(move || {
                enter(pid)?;
                work()
            });
            client
                .join()
                .unwrap_or_else(|_| Err(anyhow!("the client's thread panicked")))
        })
    }
}
