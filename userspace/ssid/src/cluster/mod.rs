//! This node in its cluster: membership, internode communication, and what the other
//! subsystems take from the view.

mod answer;
mod ask;
mod change;
mod company;
mod fencing;
mod home;
mod hooks;
mod join;
mod keepalive;
mod kept;
mod orders;
mod processes;
mod record;
mod registry;
mod remote;
mod saved;
mod service;
mod show;
mod start;
mod talk;
mod ways;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use ssi_clms::core::NodeId;
use ssi_clms::door::Door;
use ssi_clms::runner::{Handle, clock};
use ssi_ics::runner::Ics;
use ssi_loader::map::Maps;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use self::ask::Ask;
use self::home::Home;
use self::hooks::Hooks;
use self::keepalive::Supervision;
use self::kept::Kept;
use self::orders::{Obedient, Progress};
use self::record::Record;
use self::registry::Registry;
pub(crate) use self::remote::Host;
use self::remote::MemberPlace;
use self::saved::Saved;
use self::start::Running;
pub(crate) use self::start::forget_around;
use self::world::{Standing, World};
use crate::config::Config;
use crate::data_path::DataPath;
use crate::keepalive::{Beginning, Keepalive};
use crate::memory;
use crate::nodes::Company;
use crate::processes::Processes;

/// What this machine is before anything runs, as the state directory and the kernel say.
pub(crate) struct Before {
    kept: Option<Kept>,
    saved: Saved,
}

/// This node's place in its cluster, or its being in none.
pub(crate) struct Cluster {
    world: Arc<World>,
    /// Those of this node.
    processes: Processes,
    member: MemberPlace,
    /// Remote execution.
    remote: Arc<Host>,
    /// Held while this node founds, joins or leaves.
    changing: tokio::sync::Mutex<()>,
    /// Where a failure goes that the daemon can't go on after.
    fatal: mpsc::UnboundedSender<anyhow::Error>,
}

/// A node in a cluster, while it runs.
pub(crate) struct Member {
    kept: Mutex<Kept>,
    ics: Ics,
    handle: Handle,
    door: Door<Home>,
    ask: Ask,
    record: Arc<Record>,
    registry: Arc<Registry>,
    supervision: Arc<Supervision>,
    progress: Arc<watch::Sender<Progress>>,
    /// Since when supervisors have been found to stand still.
    stalled: Mutex<BTreeMap<NodeId, Instant>>,
    tasks: Vec<AbortHandle>,
}

impl Before {
    /// Reads it.
    pub(crate) fn load(config: &Config) -> Result<Self> {
        let directory = &config.state.directory;
        Ok(Self {
            kept: Kept::load(directory)?,
            saved: Saved::load(directory)?.unwrap_or_default(),
        })
    }

    /// Who is around. Where the kernel does not go by this node's life any more, the machine
    /// has been off, and directs nothing.
    pub(crate) fn company(&self, config: &Config, maps: &Maps) -> Company {
        world::company_of(config, &self.standing(self.goes_on(maps)))
    }

    fn goes_on(&self, maps: &Maps) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| start::life(kept, &self.saved, maps).is_some())
    }

    fn standing(&self, goes_on: bool) -> Standing {
        match &self.kept {
            None => Standing::Alone,
            Some(kept) if kept.left => Standing::Left(Box::new(kept.clone())),
            Some(kept) => {
                let number = ssi_clms::core::Number::new(kept.number);
                let id = number.and_then(|number| self.saved.view.current(number));
                Standing::Member(Box::new(world::Member {
                    kept: kept.clone(),
                    view: Arc::new(self.saved.view.clone()),
                    id: id.filter(|_| goes_on),
                    fenced: !goes_on,
                }))
            }
        }
    }
}

impl Cluster {
    /// Goes on where this machine was. The receiver gets what the daemon can't go on after.
    pub(crate) async fn start(
        config: &Config,
        data_path: Arc<Mutex<DataPath>>,
        processes: Processes,
        before: Before,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<anyhow::Error>)> {
        let (fatal, failed) = mpsc::unbounded_channel();
        let goes_on = {
            let path = data_path.lock().unwrap_or_else(PoisonError::into_inner);
            before.goes_on(path.maps())
        };
        let world = World::new(config.clone(), data_path, before.standing(goes_on));
        let world = Arc::new(world);
        let member = MemberPlace::default();
        let remote = remote::host(config, member.clone(), world.clone(), processes.clone());
        let cluster = Arc::new(Self {
            world,
            processes,
            member,
            remote,
            changing: tokio::sync::Mutex::default(),
            fatal,
        });
        // What was directed before a reboot is not any more.
        cluster.world.stand(|_| {}).await?;
        if let Some(kept) = before.kept.filter(|kept| !kept.left) {
            let _changing = cluster.changing.lock().await;
            cluster.enter(kept, before.saved).await?;
        }
        Ok((cluster, failed))
    }

    /// This node, if it is in a cluster.
    fn member(&self) -> Option<Arc<Member>> {
        let member = self.member.lock();
        member.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_member(&self, member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        let mut place = self.member.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, member)
    }

    /// The daemon's part in remote execution.
    pub(crate) fn remote(&self) -> Arc<Host> {
        self.remote.clone()
    }

    /// Takes a new configuration.
    pub(crate) async fn reconfigure(&self, config: Config) -> Result<()> {
        self.processes.reconfigure(&config);
        self.world.reconfigure(config).await
    }

    /// Who is around.
    pub(crate) fn company(&self) -> Company {
        self.world.company()
    }

    /// Runs membership with what was kept. Whoever calls holds `changing`.
    async fn enter(&self, mut kept: Kept, saved: Saved) -> Result<Arc<Member>> {
        let config = self.world.config();
        let directory = config.state.directory.clone();
        let progress = Arc::new(watch::Sender::new(Progress {
            fenced: true,
            ..Progress::default()
        }));
        let noted = progress.clone();
        let refused = move |why: String| {
            noted.send_modify(|progress| progress.refused = Some(why));
        };
        let running =
            start::assemble(&config, &kept, &saved, &self.world.data_path, refused).await?;
        let Running {
            ask,
            ics,
            handle,
            door,
            node,
            orders,
            listener,
            commands,
            candidate,
            resumed,
        } = running;
        progress.send_modify(|progress| progress.fenced = resumed.is_none());
        if kept.founding {
            // One that was killed while it founded has written it, or not.
            if saved.view.epoch == 0 {
                node.found(start::founding(&kept, candidate)?)
                    .await
                    .context("cannot found the cluster")?;
            }
            kept.founding = false;
            kept.save(&directory)?;
        }
        let own = start::own(&self.world.data_path).await?;
        let beginning = Beginning {
            number: kept.number,
            life: resumed,
            epoch: saved.view.epoch,
            fenced: resumed.is_none() || own.lease_until() <= clock::now().0,
            own,
        };
        let desk = Keepalive::start(&config, beginning)?;
        ask::serve(&ask, self.world.clone(), desk.clone())?;
        let orders = keepalive::ahead(orders, desk.clone());
        let supervision = Supervision::new(desk, ask.clone(), self.world.clone());
        let supervision = Arc::new(supervision);
        keepalive::serve(&ics, &supervision)?;
        processes::serve(&ics, &self.processes, &self.world.data_path)?;
        remote::serve(&ics, &self.remote, &self.processes, &self.world)?;
        let record = Arc::new(Record::new(directory, saved));
        let registry = Arc::new(Registry::new(self.world.clone(), ask.clone()));
        let obedient = Obedient {
            world: self.world.clone(),
            handle: handle.clone(),
            door: door.clone(),
            record: record.clone(),
            registry: registry.clone(),
            supervision: supervision.clone(),
            hooks: Hooks::start(kept.number, self.world.clone()),
            progress: progress.clone(),
        };
        let fatal = self.fatal.clone();
        let mut tasks = vec![
            tokio::spawn(door.clone().serve(listener)).abort_handle(),
            tokio::spawn(self.remote.clone().serve_connections(commands)).abort_handle(),
            tokio::spawn(obedient.obey(orders)).abort_handle(),
            tokio::spawn(async move {
                if let Err(error) = node.run().await {
                    // The daemon is about to end anyhow if it doesn't listen.
                    let _ = fatal.send(anyhow::Error::new(error).context("membership failed"));
                }
            })
            .abort_handle(),
        ];
        let member = Arc::new_cyclic(|weak| {
            let around = keepalive::tasks(weak, &supervision, &registry, &self.processes);
            tasks.extend(around);
            Member {
                kept: Mutex::new(kept),
                ics,
                handle,
                door,
                ask,
                record,
                registry,
                supervision,
                progress,
                stalled: Mutex::default(),
                tasks,
            }
        });
        self.set_member(Some(member.clone()));
        self.remote.get_ready();
        // Opening the log and the programs takes megabytes for a moment.
        memory::give_back();
        Ok(member)
    }

    /// Ends membership here, as far as this process goes.
    async fn exit(&self) {
        if let Some(member) = self.set_member(None) {
            for task in &member.tasks {
                task.abort();
            }
            member.door.close();
            member.ics.stop();
            member.handle.close().await;
        }
    }
}

impl Member {
    fn kept(&self) -> Kept {
        let kept = self.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what makes this machine a node; as it is then.
    fn change_kept(&self, change: impl FnOnce(&mut Kept)) -> Kept {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut kept);
        kept.clone()
    }
}
