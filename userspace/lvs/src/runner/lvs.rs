use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ssi_api::lvs::{Command, ConnectionView, ServiceName, ServiceView, Timeouts};
use ssi_loader::kernel::Jiffies;
use ssi_loader::map::Maps;
use tokio::sync::watch;
use tracing::{info, warn};

use super::error::LvsError;
use super::install::install;
use super::local::Local;
use super::meters::{Meters, Now};
use super::routes::Way;
use super::store::Store;
use super::surroundings::{self, Cluster};
use super::{connections, dump, reach};
use crate::core::{AgreedService, Environment, Model, Tuning, Write};

/// What the scheduler is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// For the model.
    pub tuning: Tuning,
    /// Where the configuration is kept.
    pub directory: PathBuf,
    /// Who is who.
    pub cluster: Cluster,
}

/// The connection scheduler of this node.
#[derive(Debug)]
pub struct Lvs {
    pub(super) model: Model,
    maps: Arc<Maps>,
    meters: Meters,
    metered: Instant,
    pub(super) store: Store,
    jiffies: Jiffies,
    wanted: watch::Sender<HashSet<IpAddr>>,
    pub(super) local: Local,
}

impl Lvs {
    /// Takes over what the maps hold and makes it what was saved; writes only what differs,
    /// so that packets go on being scheduled meanwhile.
    ///
    /// # Errors
    /// The maps can't be read or written, or the directory can't be made. A damaged file
    /// is no error: it is kept aside, and what the maps hold goes on.
    pub fn start(maps: Arc<Maps>, setup: Setup) -> Result<Self, LvsError> {
        let Setup {
            tuning,
            directory,
            cluster,
        } = setup;
        let store = Store::new(&directory)?;
        let saved = store.load().unwrap_or_else(|error| {
            warn!("{error}");
            None
        });
        let found = dump::read(&maps)?;
        let environment = Environment {
            own: surroundings::own_addresses(),
            nodes: cluster.nodes,
            interconnect: cluster.interconnect,
            cvips: cluster.cvips,
            elsewhere: cluster.elsewhere,
            routes: dump::routes(&found),
        };
        let adopt = |saved| Model::adopt(tuning, environment.clone(), &found, saved);
        let (model, writes) = match (adopt(saved.as_ref()), &saved) {
            (Err(unusable), Some(_)) => {
                warn!("{}", store.damaged(&unusable));
                adopt(None)?
            }
            (adopted, _) => adopted?,
        };
        install(&maps, writes)?;
        let mut meters = Meters::default();
        meters.start(&model, &maps)?;
        let (services, servers) = model.size();
        info!("{services} virtual services with {servers} real servers");
        let wanted = watch::Sender::new(model.server_addresses().collect());
        let mut local = Local::default();
        local.starved(model.starved());
        Ok(Self {
            model,
            maps,
            meters,
            metered: Instant::now(),
            store,
            jiffies: Jiffies::open()?,
            wanted,
            local,
        })
    }

    /// The addresses whose ways [`super::routes::follow`] is to find.
    #[must_use]
    pub fn wanted(&self) -> watch::Receiver<HashSet<IpAddr>> {
        self.wanted.subscribe()
    }

    /// Carries out a list of commands, whole or not at all, and saves. For a node in no
    /// cluster; in one, see [`Lvs::step`].
    ///
    /// # Errors
    /// Refused: nothing changed. [`LvsError::Unsaved`]: all of it was done.
    pub fn apply(&mut self, commands: &[Command]) -> Result<(), LvsError> {
        reach::check(commands)?;
        let writes = self.model.apply(commands)?;
        self.make_so(writes)
    }

    /// Saves, then writes: what was saved is what shall be, so that a restart between the
    /// two ends what was begun.
    pub(super) fn make_so(&mut self, writes: Vec<Write>) -> Result<(), LvsError> {
        let saved = self.store.save(&self.model.export());
        self.install(writes)?;
        self.local.starved(self.model.starved());
        let wanted: HashSet<IpAddr> = self.model.server_addresses().collect();
        self.wanted.send_if_modified(|old| {
            let changed = *old != wanted;
            *old = wanted;
            changed
        });
        saved.map_err(LvsError::Unsaved)
    }

    /// Takes what was found out about the ways to servers.
    ///
    /// # Errors
    /// The maps can't be written.
    pub fn ways(&mut self, changes: Vec<(IpAddr, Way)>) -> Result<(), LvsError> {
        self.local.ways(&changes);
        let mut environment = self.model.environment().clone();
        surroundings::update(&mut environment, changes);
        self.surround(environment)
    }

    /// Takes who is who.
    ///
    /// # Errors
    /// The maps can't be written.
    pub fn set_cluster(&mut self, cluster: Cluster) -> Result<(), LvsError> {
        let mut environment = self.model.environment().clone();
        environment.nodes = cluster.nodes;
        environment.interconnect = cluster.interconnect;
        environment.cvips = cluster.cvips;
        environment.elsewhere = cluster.elsewhere;
        environment.own = surroundings::own_addresses();
        self.surround(environment)
    }

    fn surround(&mut self, environment: Environment) -> Result<(), LvsError> {
        let writes = self.model.set_environment(environment);
        self.install(writes)
    }

    fn install(&mut self, writes: Vec<Write>) -> Result<(), LvsError> {
        for write in &writes {
            self.meters.follow(write, &self.model, &self.maps)?;
        }
        Ok(install(&self.maps, writes)?)
    }

    /// Looks through the connection tables: forgets what is over, and sets each server's
    /// load to what is there. To be called every second or so.
    ///
    /// # Errors
    /// The maps can't be read or written.
    pub fn sweep(&mut self) -> Result<(), LvsError> {
        let counts = connections::sweep(&self.model, &self.maps, self.jiffies.now()?)?;
        let loads = &self.maps.loads;
        for base in self.model.bases(&counts, |server| loads.get(server.into())) {
            loads.set_base(base.server.into(), base.active, base.inactive);
        }
        let mut writes = self.model.set_connections(&counts);
        writes.extend(self.model.feed());
        self.local.starved(self.model.starved());
        self.install(writes)
    }

    /// Reads the meters. To be called every 2 seconds.
    ///
    /// # Errors
    /// The maps can't be read.
    pub fn tick(&mut self) -> Result<(), LvsError> {
        let seconds = self.metered.elapsed().as_secs_f64().max(0.001);
        self.metered = Instant::now();
        Ok(self.meters.tick(&self.model, &self.maps, seconds)?)
    }

    /// Every service, or one, as it is now.
    #[must_use]
    pub fn list(&self, only: Option<&ServiceName>) -> Vec<ServiceView> {
        let now = Now {
            meters: &self.meters,
            maps: &self.maps,
        };
        self.model.views(only, &now)
    }

    /// Services as they are configured: those of these names, and those that supervision has
    /// anything in.
    #[must_use]
    pub fn configured(&self, named: &BTreeSet<ServiceName>) -> Vec<AgreedService> {
        self.model.configured(named)
    }

    /// At most `limit` connections, and whether there are more.
    ///
    /// # Errors
    /// The maps can't be read.
    pub fn connections(&self, limit: usize) -> Result<(Vec<ConnectionView>, bool), LvsError> {
        connections::list(&self.model, &self.maps, self.jiffies.now()?, limit)
    }

    /// The timeouts that `--set` sets.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.model.timeouts()
    }

    /// How many services there are, and how many servers together.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.model.size()
    }

    /// How many connections the tables can remember.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.maps.conns4.capacity() + self.maps.conns6.capacity()
    }

    /// The maps.
    #[must_use]
    pub fn maps(&self) -> &Arc<Maps> {
        &self.maps
    }
}
