//! The one place that knows loader and scheduler: opens them, feeds them, asks them.

mod around;
mod features;
mod feed;
mod network;

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use ssi_abi::member::LANES;
use ssi_api::control::{Attached, Counted, Failure, FailureKind, Feature, Reply};
use ssi_api::lvs::{Command, ServiceName, Timeouts};
use ssi_api::process::ForwardedView;
use ssi_loader::map::Maps;
use ssi_loader::{LoadError, Net, kernel};
use ssi_lvs::core::{AgreedService, Reason, Step, Tuning};
use ssi_lvs::runner::{Held, Lvs, LvsError, Setup};

pub(crate) use around::Around;
pub(crate) use feed::Feed;

use crate::config::Config;
use crate::nodes::Company;
use crate::seed;
use crate::why::why;

/// The packet path and the scheduler that drives it.
pub(crate) struct DataPath {
    net: Net,
    lvs: Lvs,
    config: Config,
}

impl DataPath {
    /// Loads the packet path, or takes over the one that is there, attaches it and starts
    /// the scheduler. The [`Feed`] must be run beside it. `company`: who is around, going by
    /// what the maps say of this node.
    pub(crate) fn open(
        config: &Config,
        company: impl FnOnce(&Maps) -> Company,
    ) -> Result<(Self, Feed)> {
        let mut net =
            Net::open(&network::options(config)).context("cannot load the packet path")?;
        for (name, is, asked) in &net.adopted().sizes {
            tracing::warn!(
                "{name} has {is} entries, not {asked}: a size changes only by `ssid --unload`"
            );
        }
        let company = company(net.maps());
        network::peers(&net, &company)?;
        network::attach(&mut net, config)?;
        net.detach_others();
        let lvs = Lvs::start(net.maps().clone(), setup(config, &company, &net)?)
            .context("cannot start the scheduler")?;
        let ring = net
            .take_held()
            .context("the ring of held fragments is missing")?;
        let held = Held::new(ring, net.maps().clone())?;
        let feed = Feed::new(held, &lvs);
        let config = config.clone();
        Ok((Self { net, lvs, config }, feed))
    }

    /// Takes what may change while the daemon runs.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Result<()> {
        network::attach(&mut self.net, config)?;
        self.config = config.clone();
        Ok(())
    }

    /// Looks after what changes by itself, once a second or so.
    pub(crate) fn sweep(&mut self) -> Result<()> {
        // The addresses that were there last are nearly always those that are there now.
        if let Err(error) = self.net.look_at_links() {
            tracing::warn!("{}", why(&error.into()));
        }
        Ok(self.lvs.sweep()?)
    }

    /// Takes who is around this node.
    pub(crate) fn set_company(&mut self, company: &Company) -> Result<()> {
        network::peers(&self.net, company)?;
        self.lvs
            .set_cluster(network::cluster(&self.config, company))?;
        Ok(())
    }

    /// Gives new connections of other nodes to the socket of their lane's worker.
    pub(crate) fn steer(
        &mut self,
        listeners: &[OwnedFd],
        workers: [u32; LANES as usize],
    ) -> Result<()> {
        Ok(self.net.steer(listeners, workers)?)
    }

    /// The way around the network stack to the cluster's nodes on this kernel, if there is to
    /// be one.
    pub(crate) fn around(&self, cluster: [u8; 16]) -> Result<Option<Around>> {
        let Some(shared) = &self.config.bpf.shared else {
            return Ok(None);
        };
        let bypass = self
            .net
            .bypass(shared, cluster)
            .context("cannot lead connections around the network stack")?;
        Ok(Some(Around(bypass)))
    }

    /// The maps.
    pub(crate) fn maps(&self) -> &Arc<Maps> {
        self.net.maps()
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

    /// Takes in an entry that all nodes agreed on; what came of each list of commands.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Vec<Result<(), Failure>>> {
        let answers = self.lvs.step(step)?.into_iter();
        let failures = answers.map(|answer| answer.map_err(|e| failure(LvsError::Refused(e))));
        Ok(failures.collect())
    }

    /// Whether the commands could be carried out, before they are told to all nodes.
    pub(crate) fn check(&self, commands: &[Command]) -> Result<(), Failure> {
        let checked = self.lvs.check(commands);
        checked.map_err(|refused| failure(LvsError::Refused(refused)))
    }

    /// The last agreed entry that was taken in.
    pub(crate) fn agreed(&self) -> u64 {
        self.lvs.epoch()
    }

    /// What all nodes agree on, for one that has missed some of it; nothing if this node
    /// has not taken in `epoch` yet.
    pub(crate) fn export(&self, epoch: u64) -> Result<Vec<u8>> {
        if self.lvs.epoch() < epoch {
            bail!("this node has not taken in epoch {epoch} yet");
        }
        Ok(self.lvs.export()?)
    }

    /// Takes over what another node exported.
    pub(crate) fn import(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.lvs.import(state)?)
    }

    /// What it has is this node's own from here on.
    pub(crate) fn part(&mut self) -> Result<()> {
        Ok(self.lvs.part()?)
    }

    /// Does all of the commands, or none, on a machine in no cluster.
    pub(crate) fn apply(&mut self, commands: &[Command]) -> Result<(), Failure> {
        self.lvs.apply(commands).map_err(failure)
    }

    /// Every service, or one.
    pub(crate) fn list(&self, only: Option<ServiceName>) -> Result<Reply, Failure> {
        let services = self.lvs.list(only.as_ref());
        if let (Some(service), true) = (only, services.is_empty()) {
            let none = Reason::NoService(service).to_string();
            return Err(Failure::new(FailureKind::Refused, none));
        }
        Ok(Reply::Services {
            services,
            size: self.lvs.capacity(),
        })
    }

    /// Services as they are configured: those of these names, and those that supervision has
    /// anything in.
    pub(crate) fn configured(&self, named: &BTreeSet<ServiceName>) -> Vec<AgreedService> {
        self.lvs.configured(named)
    }

    /// What is forwarded here, of all services together.
    pub(crate) fn forwarded(&self) -> ForwardedView {
        let services = self.lvs.list(None);
        let servers = services.iter().flat_map(|service| &service.servers);
        ForwardedView {
            active: servers.map(|server| u64::from(server.active)).sum(),
            rate: services
                .iter()
                .map(|service| service.rates.connections)
                .sum(),
        }
    }

    /// At most `limit` connections.
    pub(crate) fn connections(&self, limit: u32) -> Result<Reply, Failure> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (entries, truncated) = self.lvs.connections(limit).map_err(failure)?;
        Ok(Reply::Connections { entries, truncated })
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.lvs.timeouts()
    }

    /// How many services there are, and how many servers together.
    pub(crate) fn size(&self) -> (u32, u32) {
        let (services, servers) = self.lvs.size();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (count(services), count(servers))
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

/// Forgets where the nodes of a cluster on this kernel find each other.
pub(crate) fn forget_around(config: &Config, cluster: [u8; 16]) -> Result<()> {
    if let Some(shared) = &config.bpf.shared {
        ssi_loader::unload_bypass(shared, cluster)
            .context("cannot forget the way around the network stack")?;
    }
    Ok(())
}

/// Works on the data path in a thread of its own: thousands of map operations must not
/// keep the daemon from its signals, its peers and its other clients.
pub(crate) async fn with<T: Send + 'static>(
    data_path: &Arc<Mutex<DataPath>>,
    work: impl FnOnce(&mut DataPath) -> Result<T> + Send + 'static,
) -> Result<T> {
    let data_path = data_path.clone();
    // A panic ends the process (`log::end_on_panic`), so a poisoned lock is never met.
    let work = move || work(&mut data_path.lock().unwrap_or_else(PoisonError::into_inner));
    tokio::task::spawn_blocking(work).await?
}

fn internal(error: LoadError) -> Failure {
    Failure::new(FailureKind::Internal, error.to_string())
}

fn failure(error: LvsError) -> Failure {
    match error {
        LvsError::Refused(refused) => Failure {
            kind: FailureKind::Refused,
            message: refused.reason.to_string(),
            command: refused.command,
        },
        other => Failure::new(FailureKind::Internal, other.to_string()),
    }
}

fn setup(config: &Config, company: &Company, net: &Net) -> Result<Setup> {
    Ok(Setup {
        tuning: Tuning {
            seed: seed::seed(config)?,
            hz: kernel::hz(),
            table_entries: net.maps().table.len(),
            node: company.number.into(),
        },
        directory: config.state.directory.clone(),
        cluster: network::cluster(config, company),
    })
}
