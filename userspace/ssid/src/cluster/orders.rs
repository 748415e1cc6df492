//! What membership has the rest of the node do, one thing after the other.

use std::sync::Arc;
use std::time::Duration;

use ssi_clms::core::follower::Installed;
use ssi_clms::core::message::Message;
use ssi_clms::core::{NodeId, View};
use ssi_clms::door::Door;
use ssi_clms::runner::{Handle, Order};
use tokio::sync::{mpsc, watch};

use super::fencing;
use super::home::Home;
use super::hooks::Hooks;
use super::keepalive::Supervision;
use super::record::Record;
use super::registry::Registry;
use super::start::{CVIP, KEEPALIVE, LVS};
use super::world::{Standing, World};
use crate::keepalive::Desk;
use crate::memory;
use crate::why::why;

/// After how long without orders all is quiet.
const CALM: Duration = Duration::from_secs(2);
/// How long to wait before what failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// How it goes, for whoever waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The last view that every subsystem of this node has taken in, and which life it has
    /// this node in.
    pub(super) view: Arc<View>,
    pub(super) id: Option<NodeId>,
    pub(super) fenced: bool,
    /// Why the cluster, or a door, didn't take this node in when it last asked.
    pub(super) refused: Option<String>,
}

/// Who obeys.
pub(super) struct Obedient {
    pub(super) world: Arc<World>,
    pub(super) handle: Handle,
    pub(super) door: Door<Home>,
    pub(super) record: Arc<Record>,
    pub(super) registry: Arc<Registry>,
    pub(super) supervision: Arc<Supervision>,
    pub(super) hooks: Hooks,
    pub(super) progress: Arc<watch::Sender<Progress>>,
}

impl Obedient {
    /// Obeys until the node's task ends.
    pub(super) async fn obey(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut calm = false;
        loop {
            let order = if calm {
                orders.recv().await
            } else if let Ok(order) = tokio::time::timeout(CALM, orders.recv()).await {
                order
            } else {
                // What joining and changes took is not needed in quiet times.
                memory::give_back();
                calm = true;
                continue;
            };
            let Some(order) = order else { return };
            calm = false;
            match order {
                Order::Install(installed) => self.install(&installed).await,
                Order::Fence => {
                    tracing::warn!(
                        "this node has no lease: it stops what others may do instead, until the cluster has it again"
                    );
                    // Told ahead of this already; here it is waited for.
                    self.at_desk(Desk::fence).await;
                    self.stand("stopping", |fenced| *fenced = true).await;
                    // The node's task is about to end if it doesn't listen.
                    let _ = self.handle.stopped().await;
                }
                Order::Unfence => {
                    self.stand("going on", |fenced| *fenced = false).await;
                    self.at_desk(Desk::unfence).await;
                    tracing::info!("this node holds a lease");
                }
                Order::Rejoin => {
                    self.at_desk(Desk::lost).await;
                    tracing::warn!("the cluster goes on without this node; it asks to be taken in");
                }
                Order::SwitchOff { node, request } => {
                    let (handle, config) = (self.handle.clone(), self.world.config().cluster);
                    tokio::spawn(async move {
                        let said = fencing::switch_off(&config, &node).await;
                        // The node's task is about to end if it doesn't listen.
                        let _ = handle.fenced(request, node.id, said).await;
                    });
                }
                Order::Refused(why) => self.refused(why.to_string()),
                Order::TurnAway(key, why) => {
                    self.door.tell(&key, &Message::JoinRefused { key, why });
                }
            }
        }
    }

    fn refused(&self, why: String) {
        let news = self.progress.send_if_modified(|progress| {
            progress.refused.replace(why.clone()) != Some(why.clone())
        });
        if news {
            tracing::warn!("the cluster does not take this node in: {why}");
        }
    }

    /// Every subsystem takes a view in, and says so.
    async fn install(&self, installed: &Installed) {
        let view = installed.view.clone();
        for transition in &installed.transitions {
            let number = transition.node.number;
            let name = view.members.get(&number).map(|m| m.candidate.name.as_str());
            tracing::info!(
                "epoch {}: node {number} {} goes from {} to {}",
                view.epoch,
                name.unwrap_or_default(),
                transition.from,
                transition.to
            );
        }
        let id = self.own(&view).await;
        persist("taking the view in", || {
            let view = view.clone();
            self.world.stand(move |standing| {
                if let Standing::Member(member) = standing {
                    member.view = view;
                    member.id = id;
                }
            })
        })
        .await;
        self.took(CVIP, &view).await;
        persist("the virtual services", || self.registry.take_in(installed)).await;
        persist("what is kept alive", || {
            self.supervision.take_in(installed, id)
        })
        .await;
        if let Err(error) = self.record.note(installed) {
            tracing::error!("the view is not saved: {}", why(&error));
        }
        self.took(LVS, &view).await;
        self.took(KEEPALIVE, &view).await;
        self.hooks.went(installed);
        self.progress.send_modify(|progress| {
            progress.view = view.clone();
            progress.id = id;
            if id.is_some() {
                progress.refused = None;
            }
        });
    }

    /// Which life of this node a view has: the one that goes on, not an earlier one that
    /// the cluster hasn't put out yet.
    async fn own(&self, view: &View) -> Option<NodeId> {
        let status = self.handle.status().await.ok()?;
        status.id.filter(|id| view.has(*id))
    }

    async fn stand(&self, what: &str, change: impl Fn(&mut bool) + Copy) {
        persist(what, || {
            self.world.stand(move |standing| {
                if let Standing::Member(member) = standing {
                    change(&mut member.fenced);
                }
            })
        })
        .await;
        self.progress
            .send_modify(|progress| change(&mut progress.fenced));
    }

    async fn at_desk(&self, what: fn(&mut Desk)) {
        if let Err(error) = self.supervision.desk.with(what).await {
            tracing::error!("{}", why(&error));
        }
    }

    async fn took(&self, subsystem: &str, view: &View) {
        // The node's task is about to end if it doesn't listen.
        let _ = self.handle.took(subsystem, view.epoch).await;
    }
}

/// Tries until it works: what membership orders can't be left undone, and who waits for it
/// is shown by `ssi cluster`.
async fn persist<F: Future<Output = anyhow::Result<()>>>(what: &str, attempt: impl Fn() -> F) {
    while let Err(error) = attempt().await {
        tracing::error!("{what}: {}; trying again", why(&error));
        tokio::time::sleep(AGAIN).await;
    }
}
