//! The node's task: everything that comes in goes to the engine, everything that the
//! engine wants done is done.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::handle::Handle;
use super::heartbeats::Beating;
use super::input::Input;
use super::seating::Seating;
use super::{Ask, Ground, Heard, Messenger};
use crate::core::command::{Command, Refused};
use crate::core::engine::{Engine, Lead, Output, Start};
use crate::core::follower::{Installed, KERNEL};
use crate::core::member::{Key, Member};
use crate::core::message::Message;
use crate::core::pair::generation;
use crate::core::voters::Voters;
use crate::core::{Epoch, NodeId, Time, View};
use crate::log::{Applied, NotWritten, Store, Voter};

/// What a node is made of.
pub struct Settings {
    /// Who it is and what it knew last.
    pub start: Start,
    /// Its log, if it is a potential master; and its number, which it has to have then.
    pub log: Option<(Voter, Store)>,
    /// Machines to ask to be taken in: any members.
    pub doors: Vec<IpAddr>,
    /// Seeds what the log leaves to chance.
    pub seed: u64,
}

/// What the rest of the daemon has to do.
#[derive(Debug)]
pub enum Order {
    /// The view is another: every subsystem takes it in and says so.
    Install(Installed),
    /// Stop all that another node may do instead, then say so
    /// ([`Handle::stopped`]).
    Fence,
    /// There is a lease: go on.
    Unfence,
    /// Have the fencing device switch a node off, then say what came of it
    /// ([`Handle::fenced`]). Comes only if there is one ([`Start::fencing`]).
    SwitchOff {
        /// Which.
        node: Arc<Member>,
        /// To be given back with the answer: tells this request from all others.
        request: u64,
    },
    /// This life is over: kill what was stopped.
    Rejoin,
    /// The cluster does not take this node in.
    Refused(Refused),
    /// One who wants to join by way of this node can't.
    TurnAway(Key, Refused),
}

/// A node's task, ready to run.
pub struct Node<G, M> {
    pub(super) engine: Engine,
    pub(super) ground: G,
    messenger: M,
    pub(super) seating: Seating<M>,
    pub(super) beating: Beating,
    /// For tasks that have something to say, and don't keep this one from its end.
    pub(super) weak: mpsc::WeakSender<Input>,
    voters: Voters,
    voters_due: Time,
    /// A change of who votes that is under way.
    voting: Option<JoinHandle<()>>,
    doors: Vec<IpAddr>,
    /// Which door is next.
    door: usize,
    inputs: mpsc::Receiver<Input>,
    news: mpsc::UnboundedReceiver<Applied>,
    said: mpsc::UnboundedReceiver<Result<Result<Epoch, Refused>, NotWritten>>,
    says: mpsc::UnboundedSender<Result<Result<Epoch, Refused>, NotWritten>>,
    orders: mpsc::UnboundedSender<Order>,
    views: watch::Sender<Arc<View>>,
    seed: u64,
}

/// How often the master sees to who votes: nodes may wait for that to be up.
const VOTERS: Duration = Duration::from_millis(100);

/// How long a change of who votes may take before it is begun anew.
const CHANGE: Duration = Duration::from_secs(2);

/// Messages that may wait for the task.
const INPUTS: usize = 1_024;

impl<G: Ground, M: Messenger> Node<G, M> {
    /// A node, how to speak to it, and what it has to say to the rest of the daemon.
    ///
    /// # Errors
    /// The log can't be read.
    pub async fn new(
        settings: Settings,
        ground: G,
        messenger: M,
    ) -> io::Result<(Self, Handle, mpsc::UnboundedReceiver<Order>)> {
        let timing = settings.start.timing.clone();
        let (tells, news) = mpsc::unbounded_channel();
        let (heartbeats, beating) = Beating::new();
        let seating = Seating::new(
            settings.log,
            timing,
            messenger.clone(),
            heartbeats,
            tells,
            settings.seed,
        )
        .await?;
        let engine = Engine::new(ground.now(), settings.start);
        let (inputs, takes) = mpsc::channel(INPUTS);
        let (says, said) = mpsc::unbounded_channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (views, shows) = watch::channel(engine.view().clone());
        let handle = Handle {
            inputs,
            views: shows,
            chair: seating.chair(),
        };
        let node = Self {
            voters_due: ground.now() + VOTERS,
            engine,
            ground,
            messenger,
            seating,
            beating,
            weak: handle.inputs.downgrade(),
            voters: Voters::default(),
            voting: None,
            doors: settings.doors,
            door: 0,
            inputs: takes,
            news,
            said,
            says,
            orders,
            views,
            seed: settings.seed,
        };
        Ok((node, handle, ordered))
    }

    /// Founds a cluster of this node alone.
    ///
    /// # Errors
    /// It has no seat, or its log isn't empty.
    pub fn found(
        &self,
        command: Command,
    ) -> impl Future<Output = io::Result<()>> + Send + use<G, M> {
        let (seat, seed) = (self.seating.seat(), self.seed);
        async move {
            let seat = seat.ok_or_else(|| io::Error::other("only a potential master can found"))?;
            let founding = seat.found(command);
            DeterministicRng::<TokioRuntime>::scope(seed ^ 1, founding).await
        }
    }

    /// Runs until every [`Handle`] is gone.
    ///
    /// # Errors
    /// The kernel refuses what it has to know.
    pub async fn run(mut self) -> io::Result<()> {
        self.resume()?;
        loop {
            let wait = self.engine.due().since(self.ground.now());
            tokio::select! {
                biased;
                () = self.ground.heard() => {}
                Some(asked) = self.beating.asked() => self.beat(asked),
                Some(applied) = self.news.recv() => self.applied(applied),
                Some(said) = self.said.recv() => self.said(&said),
                // Whoever has been elected is the master at once, not when it wakes next.
                () = self.seating.leads() => {}
                input = self.inputs.recv() => match input {
                    Some(input) => self.input(input),
                    None => return Ok(()),
                },
                () = tokio::time::sleep(wait) => {}
            }
            self.work()?;
        }
    }

    /// Goes on where an earlier daemon stopped: everybody takes in again what that one may
    /// not have finished with.
    fn resume(&mut self) -> io::Result<()> {
        if self.engine.id().is_none() {
            // Where the other voters are is known from the view before: if all were off,
            // they have nobody else to ask.
            self.messenger.members(self.engine.view(), None);
            return Ok(());
        }
        self.install(Installed {
            view: self.engine.view().clone(),
            transitions: Vec::new(),
            told: None,
            whole: true,
        })
    }

    fn install(&mut self, installed: Installed) -> io::Result<()> {
        let (view, own) = (&installed.view, self.engine.id());
        self.ground.install(view, own)?;
        self.messenger.members(view, own);
        self.views.send_replace(view.clone());
        let epoch = view.epoch;
        let old = self.seating.seat().and_then(|seat| seat.generation());
        if old.is_some_and(|old| old < generation(epoch)) {
            tracing::info!("the view log has been founded anew: this node's is over");
            self.found_anew(None);
        }
        self.order(Order::Install(installed));
        self.engine.took(self.ground.now(), KERNEL, epoch);
        Ok(())
    }

    /// Takes in all that has come, then does what is due: in this order, so that nobody is
    /// found dead whose answer is waiting to be read.
    fn work(&mut self) -> io::Result<()> {
        let view = self.engine.view().clone();
        while let Some(heard) = self.ground.next(&view) {
            let Heard::Reflection(back) = heard else {
                self.heard_beat(heard);
                continue;
            };
            let now = self.ground.now();
            if back.supervisor {
                self.engine.answered(now, back.from, back.nonce);
            } else {
                self.engine
                    .reflected(now, back.from, back.nonce, back.clock, back.holds);
            }
        }
        while let Ok(applied) = self.news.try_recv() {
            self.applied(applied);
        }
        while let Ok(input) = self.inputs.try_recv() {
            self.input(input);
        }
        let now = self.ground.now();
        if let Some(seat) = self.seating.seat() {
            let leads = seat.leadership().map(|lead| Lead {
                term: lead.term,
                acked: now - lead.age,
                generation: lead.generation,
                alone: lead.alone,
            });
            self.engine.leads(now, leads);
        }
        self.engine.tick(now, self.ground.lease());
        self.put_all_out()?;
        // A master wakes oftener than that by itself.
        if now >= self.voters_due {
            self.voters_due = now + VOTERS;
            self.see_to_voters(now)?;
        }
        Ok(())
    }

    fn put_all_out(&mut self) -> io::Result<()> {
        while let Some(output) = self.engine.poll() {
            self.put_out(output)?;
        }
        Ok(())
    }

    fn applied(&mut self, applied: Applied) {
        let now = self.ground.now();
        match applied {
            Applied::Entry(epoch, command) => self.engine.committed(now, epoch, &command),
            Applied::Whole(view) => self.engine.restored(now, *view),
        }
    }

    fn said(&mut self, said: &Result<Result<Epoch, Refused>, NotWritten>) {
        if let Ok(Err(why)) = said {
            tracing::debug!("an entry was refused: {why}");
        }
        if !matches!(said, Ok(Ok(_))) {
            self.engine.not_committed(self.ground.now());
        }
    }

    fn put_out(&mut self, output: Output) -> io::Result<()> {
        match output {
            Output::Probe {
                to,
                nonce,
                grant,
                supervisor,
                old_key,
            } => {
                if let Some(own) = self.engine.id() {
                    let view = self.engine.view();
                    let probe = Ask {
                        to,
                        nonce,
                        grant,
                        supervisor,
                        old_key,
                    };
                    self.ground.probe(view, own, probe);
                }
            }
            Output::Stalled { id, stalled: true } => {
                tracing::warn!("node {id} lives, but its ssid does not answer");
            }
            Output::Stalled { id, .. } => tracing::info!("node {id}'s ssid answers again"),
            Output::Send { to, message } => self.messenger.send(to, encode(&message)?),
            Output::Door { to, message } => {
                let view = self.engine.view();
                let there = view.members.get(&to.number);
                let at = there.and_then(|there| there.candidate.addresses.first().copied());
                if let Some(at) = at {
                    self.messenger.knock(at, encode(&message)?);
                }
            }
            Output::Contact(message) => self.knock(&message)?,
            Output::HandOver(heir) => self.hand_over(heir),
            Output::Propose(command) => self.propose(command),
            Output::Install(installed) => self.install(installed)?,
            Output::Refound(command) => self.found_anew(Some(command)),
            Output::SwitchOff { id, request } => {
                let there = self.engine.view().members.get(&id.number);
                if let Some(node) = there.filter(|there| there.id == id).cloned() {
                    self.order(Order::SwitchOff { node, request });
                }
            }
            Output::Lease(until) => self.ground.hold(until),
            Output::Lower(until) => self.ground.lower(until),
            Output::Fence => self.order(Order::Fence),
            Output::Unfence => self.order(Order::Unfence),
            Output::Rejoin => self.order(Order::Rejoin),
            Output::Refused(why) => self.order(Order::Refused(why)),
            Output::TurnAway { key, why } => self.order(Order::TurnAway(key, why)),
        }
        Ok(())
    }

    fn found_anew(&self, command: Option<Command>) {
        let says = self.weak.clone();
        self.seating.anew(command, move |ended| {
            let said = ended.map_err(|why| why.to_string());
            if let Some(says) = says.upgrade() {
                tokio::spawn(async move {
                    // Nobody listens any more when the node is about to stop.
                    let _ = says.send(Input::Founded(said)).await;
                });
            }
        });
    }

    fn order(&self, order: Order) {
        // The daemon is about to stop if nobody takes orders.
        let _ = self.orders.send(order);
    }

    /// Knocks at the next door: of the members it knew last, and of those it was told of.
    fn knock(&mut self, message: &Message) -> io::Result<()> {
        let view = self.engine.view();
        let own = self.engine.id().map(|id| id.number);
        let known = view
            .present()
            .filter(|member| Some(member.id.number) != own);
        let known = known.flat_map(|member| member.candidate.addresses.first().copied());
        let doors: Vec<IpAddr> = self.doors.iter().copied().chain(known).collect();
        if doors.is_empty() {
            return Ok(());
        }
        self.door = (self.door + 1) % doors.len();
        self.messenger.knock(doors[self.door], encode(message)?);
        Ok(())
    }

    fn propose(&mut self, command: Command) {
        let Some(seat) = self.seating.seat() else {
            return;
        };
        tracing::debug!("proposes: {command}");
        let says = self.says.clone();
        tokio::spawn(async move {
            // Nobody listens any more when the node is about to stop.
            let _ = says.send(seat.propose(command).await);
        });
    }

    fn hand_over(&self, heir: NodeId) {
        let Some(seat) = self.seating.seat() else {
            return;
        };
        tracing::info!("node {heir} is to be the master");
        tokio::spawn(async move { seat.hand_over(heir.number.get()).await });
    }

    fn see_to_voters(&mut self, now: Time) -> io::Result<()> {
        let changes = self.voting.as_ref().is_some_and(|task| !task.is_finished());
        if changes || !self.engine.is_master(now) {
            return Ok(());
        }
        let wanted = self.engine.wanted_voters(now, &mut self.voters);
        self.put_all_out()?;
        if let (Some(wanted), Some(seat)) = (wanted, self.seating.seat()) {
            let wanted: BTreeSet<Voter> = wanted.numbers().collect();
            tracing::info!("nodes {wanted:?} are to vote");
            let change = async move {
                match tokio::time::timeout(CHANGE, seat.set_voters(wanted)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(why)) => tracing::debug!("the voters stay as they are: {why}"),
                    Err(_) => tracing::debug!("a change of the voters takes long"),
                }
            };
            let change = DeterministicRng::<TokioRuntime>::scope(now.0, change);
            self.voting = Some(tokio::spawn(change));
        }
        Ok(())
    }
}

fn encode(message: &Message) -> io::Result<bytes::Bytes> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    Ok(bytes.into())
}
