//! The one place that knows loader and scheduler: opens them, feeds them, asks them.

mod features;
mod network;

use anyhow::{Context, Result};
use ssi_api::control::{Attached, Counted, Failure, FailureKind, Feature, Reply};
use ssi_api::lvs::{Command, ServiceName, Timeouts};
use ssi_loader::{LoadError, Net};

use crate::config::Config;

/// The packet path and the scheduler that drives it.
pub(crate) struct DataPath {
    net: Net,
}

impl DataPath {
    /// Loads the packet path, or takes over the one that is there, and attaches it.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let mut net =
            Net::open(&network::options(config)).context("cannot load the packet path")?;
        for (name, is, asked) in &net.adopted().sizes {
            tracing::warn!(
                "{name} has {is} entries, not {asked}: a size changes only by `ssid --unload`"
            );
        }
        network::peers(&net, config)?;
        network::attach(&mut net, config)?;
        net.detach_others();
        Ok(Self { net })
    }

    /// Takes what may change while the daemon runs.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Result<()> {
        network::peers(&self.net, config)?;
        network::attach(&mut self.net, config)
    }

    /// Whether an earlier daemon's packet path was taken over.
    pub(crate) fn adopted(&self) -> bool {
        self.net.adopted().maps
    }

    /// Where the programs are attached.
    pub(crate) fn attached(&self) -> Vec<Attached> {
        self.net
            .attachments()
            .iter()
            .map(network::attached)
            .collect()
    }

    /// What this kernel offers, and what our interfaces got.
    pub(crate) fn doctor(&self) -> Vec<Feature> {
        let mut features = features::kernel_features();
        features.extend(self.net.attachments().iter().map(features::interface));
        features
    }

    pub(crate) fn apply(&mut self, _: &[Command]) -> Result<(), Failure> {
        Err(unwired())
    }
    pub(crate) fn list(&self, _: Option<ServiceName>) -> Result<Reply, Failure> {
        Err(unwired())
    }
    pub(crate) fn connections(&self, _: u32) -> Result<Reply, Failure> {
        Err(unwired())
    }
    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts {
            tcp: 0,
            tcp_fin: 0,
            udp: 0,
        }
    }
    pub(crate) fn sizes(&self) -> (u32, u32) {
        (0, 0)
    }

    /// What the programs counted.
    pub(crate) fn counters(&self) -> Result<Vec<Counted>, Failure> {
        features::counted(&self.net).map_err(internal)
    }
}

/// What this kernel offers, asked without any daemon.
pub(crate) fn doctor() -> Vec<Feature> {
    features::kernel_features()
}

/// Takes everything out of the kernel; says whether there was anything.
pub(crate) fn unload(config: &Config) -> Result<bool> {
    ssi_loader::unload(&config.bpf.root).context("cannot take the packet path out")
}

fn internal(error: LoadError) -> Failure {
    Failure::new(FailureKind::Internal, error.to_string())
}

fn unwired() -> Failure {
    Failure::new(FailureKind::Internal, "the scheduler is not wired yet")
}
