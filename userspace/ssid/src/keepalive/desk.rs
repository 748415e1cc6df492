//! The desk: this node's supervisor, and what was agreed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use ssi_api::service::ServiceEvent;
use ssi_clms::core::{Epoch, View};
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Agreed, Entry};
use ssi_keepalive::core::{Action, Carried, Event, Id, Order, State};
use ssi_keepalive::placement::{Life, Move, Slot};
use ssi_keepalive::readiness::Listener;
use ssi_keepalive::runner::Local;
use tokio::sync::watch;

use super::conditions::Here;
use super::events::{self, Events};
use super::guard::Told;
use super::moving::Moving;
use super::opener::Opener;
use super::saved::Saved;
use super::{Beginning, life};
use crate::config::Config;

/// Moves in one entry of the log: it has room for ten times as many bytes as they take.
const MOVES: usize = 500;

/// What the desk tells the rest of the daemon.
pub(super) struct Said {
    pub(super) due: watch::Sender<u64>,
    pub(super) done: watch::Sender<Epoch>,
    /// There is something to tell other nodes.
    pub(super) news: watch::Sender<u64>,
    /// Real servers of virtual services may be others.
    pub(super) balance: watch::Sender<u64>,
}

/// The desk.
pub(crate) struct Desk {
    /// The supervisor; or why there is none.
    pub(super) local: Result<Local, String>,
    opener: Opener,
    /// What all nodes agreed on up to `epoch`.
    pub(crate) agreed: Agreed,
    pub(super) epoch: Epoch,
    pub(super) saved: Saved,
    pub(super) number: u16,
    /// This node's life, if it takes part.
    pub(super) me: Option<Life>,
    pub(super) view: Arc<View>,
    /// What was agreed, or which life this is, has changed since what is here was last
    /// compared with it.
    pub(super) unsettled: bool,
    /// What is gone from here, for the next node to know, until the log says so.
    pub(super) gone: BTreeMap<Id, Carried>,
    /// What can't run here, until the log says so.
    refusing: BTreeSet<Slot>,
    pub(super) events: Events,
    /// What is good for what here, and what others are to be told of it.
    pub(super) here: Here,
    /// What was heard of other nodes.
    pub(super) elsewhere: BTreeMap<Node, Listener>,
    /// What is on its way from one node to another, as far as the master sees to it.
    pub(super) moving: Moving,
    /// How busy nodes are, in thousandths of a processor, as far as this one knows.
    pub(crate) loads: BTreeMap<u16, u32>,
    lease_over: Arc<AtomicBool>,
    pub(super) said: Said,
}

impl Desk {
    pub(super) fn open(
        config: &Config,
        beginning: Beginning,
        lease_over: Arc<AtomicBool>,
        said: Said,
    ) -> Result<Self> {
        let saved = Saved::of(config);
        let (agreed, epoch) = saved.load()?;
        let mut opener = Opener::new(config, beginning.own);
        let me = beginning.life.and_then(life);
        let local = opener.open(&agreed, me, beginning.fenced);
        if let Err(why) = &local {
            tracing::warn!("nothing can be kept alive on this node: {why}");
        }
        let mut desk = Self {
            local,
            opener,
            agreed,
            // Whatever came since the last entry that was about this changed nothing.
            epoch: epoch.max(beginning.epoch),
            saved,
            number: beginning.number,
            me,
            view: Arc::default(),
            unsettled: true,
            gone: BTreeMap::new(),
            refusing: BTreeSet::new(),
            events: Events::open(&events::path(config)),
            here: Here::default(),
            elsewhere: BTreeMap::new(),
            moving: Moving::default(),
            loads: BTreeMap::new(),
            lease_over,
            said,
        };
        desk.said.done.send_replace(desk.epoch);
        desk.begin();
        desk.listen();
        Ok(desk)
    }

    /// What the one before may not have got to, between writing down and doing.
    fn begin(&mut self) {
        let Ok(local) = &mut self.local else { return };
        let now = ssi_keepalive::runner::now();
        let there: Vec<(Arc<str>, State)> = (local.supervisor().list(now))
            .map(|status| (status.id.process, status.state))
            .collect();
        self.here.begin(local.supervisor().conditions());
        if self.agreed.quiesced {
            local.tell(Event::Order(Order::Quiesce(true)));
        }
        let stopped = |stopped: bool| -> Vec<Arc<str>> {
            let wrong = there.iter().filter(|(name, state)| {
                self.agreed.is_stopped(name) == stopped && (*state == State::Shutdown) != stopped
            });
            wrong.map(|(name, _)| name.clone()).collect()
        };
        let (stop, start) = (stopped(true), stopped(false));
        local.tell(Event::Order(Order::Stop(stop)));
        local.tell(Event::Order(Order::Start(start)));
        self.reconcile();
    }

    /// Waits for the next thing to happen to what runs here. May be dropped at any time.
    pub(super) async fn step(&mut self) {
        match &mut self.local {
            Ok(local) => local.step().await,
            Err(_) => {
                tokio::time::sleep_until(self.opener.due()).await;
                self.open_again();
            }
        }
    }

    fn open_again(&mut self) {
        let fenced = self.lease_over.load(Ordering::SeqCst);
        self.local = self.opener.open(&self.agreed, self.me, fenced);
        match &self.local {
            Ok(_) => tracing::info!("processes can be kept alive on this node again"),
            Err(why) => tracing::warn!("still nothing can be kept alive on this node: {why}"),
        }
        self.begin();
        self.is_due();
    }

    /// Takes notice of what the supervisor says.
    pub(super) fn listen(&mut self) {
        let Ok(local) = &mut self.local else { return };
        let said = local.said();
        if said.is_empty() {
            return;
        }
        let mut news = false;
        let mut changed: BTreeSet<Arc<str>> = BTreeSet::new();
        for action in said {
            match action {
                Action::Report { id, from, to, why } => self.note(&id, from, to, why),
                Action::Condition { id, condition } => {
                    changed.insert(id.process.clone());
                    self.here.note(id, condition);
                }
                Action::Gone { id, carried } => {
                    self.gone.insert(id, carried);
                    news = true;
                }
                Action::Elsewhere { id, .. } => {
                    self.refusing.insert(self.agreed.slot(&id));
                    news = true;
                }
                _ => {}
            }
        }
        if !changed.is_empty() {
            self.said.news.send_modify(|count| *count += 1);
            self.conditions_changed(&changed);
        }
        if news {
            self.is_due();
        }
    }

    fn note(&mut self, id: &Id, from: State, to: State, why: String) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = at.unwrap_or(Duration::ZERO).as_millis();
        self.events.push(ServiceEvent {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            node: self.number,
            name: id.process.to_string(),
            instance: id.instance,
            from: from.to_string(),
            to: to.to_string(),
            why,
        });
    }

    pub(super) fn is_due(&self) {
        self.said.due.send_modify(|count| *count += 1);
    }

    /// The entries that this node should have written: what it has released, or can't run;
    /// and, of the master, what is to run where.
    pub(crate) fn entries(&mut self) -> Vec<Entry> {
        let Some(me) = self.me else {
            return Vec::new();
        };
        let there: BTreeSet<Id> = match &self.local {
            Ok(local) => {
                let all = local.supervisor().list(ssi_keepalive::runner::now());
                all.map(|status| status.id).collect()
            }
            Err(_) if self.opener.nothing_runs() => {
                self.refusing = self.agreed.held_by(me.node).cloned().collect();
                BTreeSet::new()
            }
            // What runs unsupervised must not run elsewhere too.
            Err(_) => {
                let held = self.agreed.held_by(me.node);
                held.flat_map(|slot| self.agreed.ids(slot)).collect()
            }
        };
        let mut moves = self.agreed.released(me, |id| there.contains(id));
        moves.extend(self.agreed.refused(me, &self.refusing));
        moves.extend(self.plan());
        let carried = |moves: &[Move]| -> Vec<(Id, Carried)> {
            let released = moves.iter().filter_map(|change| match change {
                Move::Released { slot, .. } => Some(self.agreed.ids(slot)),
                _ => None,
            });
            let known = |id: Id| Some((id.clone(), self.gone.get(&id)?.clone()));
            released.flatten().filter_map(known).collect()
        };
        let entries = moves.chunks(MOVES).map(|moves| Entry::Moves {
            moves: moves.to_vec(),
            carried: carried(moves),
        });
        entries.collect()
    }

    /// What was said of what is not here any more is forgotten.
    pub(super) fn tidy(&mut self) {
        let Some(me) = self.me else { return };
        let held: BTreeSet<Slot> = self.agreed.held_by(me.node).cloned().collect();
        self.refusing.retain(|slot| held.contains(slot));
        let ids: BTreeSet<Id> = held.iter().flat_map(|slot| self.agreed.ids(slot)).collect();
        self.gone.retain(|id, _| ids.contains(id));
    }

    /// The lease is over: what may run elsewhere stands still from now on.
    pub(crate) fn fence(&mut self) {
        if let Ok(local) = &mut self.local {
            local.tell(Event::Fence);
            self.opener.tell(Told::Stands);
        }
    }

    /// There is a lease, unless it is over again.
    pub(crate) fn unfence(&mut self) {
        if let Ok(local) = &mut self.local
            && !self.lease_over.load(Ordering::SeqCst)
        {
            self.opener.tell(Told::runs(self.me));
            local.tell(Event::Unfence);
        }
    }

    /// This life is over: others run what it had.
    pub(crate) fn lost(&mut self) {
        self.me = None;
        if let Ok(local) = &mut self.local {
            local.tell(Event::Lost);
            self.opener.tell(Told::Stands);
        }
    }

    /// This node's life, if it takes part.
    pub(crate) const fn me(&self) -> Option<Life> {
        self.me
    }

    /// Tells the supervisor what an operator wants.
    pub(crate) fn order(&mut self, order: Order) -> Result<(), String> {
        match &mut self.local {
            Ok(local) => {
                local.tell(Event::Order(order));
                Ok(())
            }
            Err(why) => Err(format!("nothing can be kept alive there: {why}")),
        }
    }

    /// Ends everything here; what is left of it.
    pub(crate) fn end(&mut self) -> usize {
        self.me = None;
        let Ok(local) = &mut self.local else { return 0 };
        let list = |local: &Local| -> Vec<Id> {
            let now = ssi_keepalive::runner::now();
            local
                .supervisor()
                .list(now)
                .map(|status| status.id)
                .collect()
        };
        for id in list(local) {
            local.tell(Event::Release(id));
        }
        list(local).len()
    }
}
