//! Who is compared: `ssid`, and those that one would use in its place.

mod corosync;
mod etcd;
mod http;
mod serf;
mod ssi;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) use corosync::Corosync;
pub(crate) use etcd::Etcd;
pub(crate) use serf::Serf;
pub(crate) use ssi::Ssi;

use super::site::{Nodes, Site, installed, log, until};

/// A membership.
pub(crate) trait Contender: Sync {
    /// As it is called in tables.
    fn name(&self) -> String;

    /// The name of its processes.
    fn process(&self) -> &'static str;

    /// What machines need before its daemons start; gone when a machine is booted again.
    fn prepare(&self, _nodes: &Nodes) -> Result<()> {
        Ok(())
    }

    /// Starts its daemons, at once everywhere.
    fn start(&self, site: &Site, nodes: &Nodes) -> Result<()>;

    /// Makes machines that never ran it a cluster.
    fn found(&self, site: &Site, nodes: &Nodes) -> Result<()> {
        self.prepare(nodes)?;
        self.start(site, nodes)
    }

    /// Waits until a cluster that has formed can lose any node.
    fn ready(&self, _site: &Site, _nodes: &Nodes) -> Result<()> {
        Ok(())
    }

    /// Who belongs to the cluster, as a node sees it; none if it doesn't say now.
    fn members(&self, site: &Site, node: u8) -> Result<Option<Nodes>>;

    /// How often it is asked.
    fn pause(&self) -> Duration;

    /// Has a node leave in order; the moment at which it was told to. Returns at once.
    fn leave(&self, site: &Site, node: u8) -> Result<Instant> {
        let processes = site.processes(node, self.process())?;
        let at = Instant::now();
        for process in processes {
            kill(Pid::from_raw(process), Signal::SIGTERM)?;
        }
        Ok(at)
    }

    /// Takes a node back that left.
    fn rejoin(&self, site: &Site, node: u8) -> Result<()> {
        self.start(site, &Nodes::from([node]))
    }

    /// The node that leads, if one does.
    fn master(&self, _site: &Site) -> Option<u8> {
        None
    }

    /// Complains if nodes did not all see the same change when `gone` went.
    fn check(&self, _site: &Site, _nodes: &Nodes, _gone: u8) -> Result<()> {
        Ok(())
    }
}

/// How long the slowest may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until each of `nodes` sees exactly them; when that was first seen of the last.
///
/// One node is asked at a time: those that wait don't ask, and what is measured is not
/// slowed by being asked.
pub(crate) fn agreed(contender: &dyn Contender, site: &Site, nodes: &Nodes) -> Result<Instant> {
    for &node in nodes {
        let mut last = None;
        let mut so = || -> Result<bool> {
            last = contender.members(site, node)?;
            Ok(last.as_ref() == Some(nodes))
        };
        let waited = until("a view", PATIENCE, contender.pause(), &mut so);
        waited.with_context(|| {
            format!(
                "{}: node {node} sees {last:?}, not {nodes:?}\n{}",
                contender.name(),
                log(node)
            )
        })?;
    }
    Ok(Instant::now())
}

/// Refuses to go on without a program that is to be compared.
pub(crate) fn need(program: &str, package: &str) -> Result<()> {
    if !installed(program) {
        bail!(
            "{program} is not installed; `make toolchain` installs {package}, and --alone measures without it"
        );
    }
    Ok(())
}

/// Milliseconds from one moment to another.
pub(crate) fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1e3
}
