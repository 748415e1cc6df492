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

use super::handle::Handle;
use super::input::Input;
use super::wire::Wires;
use super::{Ground, Messenger};
use crate::core::command::{Command, Refused};
use crate::core::engine::{Engine, Output, Start};
use crate::core::follower::{Installed, KERNEL};
use crate::core::member::Key;
use crate::core::message::Message;
use crate::core::voters::Voters;
use crate::core::{Epoch, Number, Time, Timing, View};
use crate::log::{Applied, NotWritten, Seat, Store, Voter};

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
    timing: Timing,
    pub(super) ground: G,
    messenger: M,
    pub(super) seat: Option<Seat>,
    voters: Voters,
    voters_due: Time,
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

/// How often the master sees to who votes.
const VOTERS: Duration = Duration::from_millis(500);

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
        let seat = match settings.log {
            None => None,
            Some((voter, store)) => {
                let wires = Wires(messenger.clone());
                let told = Box::new(move |applied| {
                    // Nobody listens any more when the node is about to stop.
                    let _ = tells.send(applied);
                });
                let taking = Seat::take(voter, &timing, wires, store, told);
                Some(DeterministicRng::<TokioRuntime>::scope(settings.seed, taking).await?)
            }
        };
        let engine = Engine::new(ground.now(), settings.start);
        let (inputs, takes) = mpsc::channel(INPUTS);
        let (says, said) = mpsc::unbounded_channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (views, shows) = watch::channel(engine.view().clone());
        let handle = Handle {
            inputs,
            views: shows,
            seat: seat.clone(),
        };
        let node = Self {
            voters_due: ground.now() + VOTERS,
            engine,
            timing,
            ground,
            messenger,
            seat,
            voters: Voters::default(),
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
        let (seat, seed) = (self.seat.clone(), self.seed);
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
            let due = self.engine.due().min(self.voters_due);
            let wait = due.since(self.ground.now());
            tokio::select! {
                biased;
                () = self.ground.heard() => {}
                Some(applied) = self.news.recv() => self.applied(applied),
                Some(said) = self.said.recv() => self.said(&said),
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
        self.order(Order::Install(installed));
        self.engine.took(self.ground.now(), KERNEL, epoch);
        Ok(())
    }

    /// Takes in all that has come, then does what is due: in this order, so that nobody is
    /// found dead whose answer is waiting to be read.
    fn work(&mut self) -> io::Result<()> {
        let view = self.engine.view().clone();
        while let Some(back) = self.ground.next(&view) {
            let now = self.ground.now();
            self.engine
                .reflected(now, back.from, back.nonce, back.clock, back.holds);
        }
        while let Ok(applied) = self.news.try_recv() {
            self.applied(applied);
        }
        while let Ok(input) = self.inputs.try_recv() {
            self.input(input);
        }
        let now = self.ground.now();
        if let Some(seat) = &self.seat {
            let leads = seat.leadership().map(|lead| (lead.term, now - lead.age));
            self.engine.leads(now, leads);
        }
        self.engine.tick(now, self.ground.lease());
        while let Some(output) = self.engine.poll() {
            self.put_out(output)?;
        }
        if now >= self.voters_due {
            self.voters_due = now + VOTERS;
            self.see_to_voters(now);
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
            Output::Probe { to, nonce, grant } => {
                if let Some(own) = self.engine.id() {
                    let view = self.engine.view();
                    self.ground.probe(view, own, to, nonce, grant);
                }
            }
            Output::Send { to, message } => self.messenger.send(to, encode(&message)?),
            Output::Contact(message) => self.knock(&message)?,
            Output::Propose(command) => self.propose(command),
            Output::Install(installed) => self.install(installed)?,
            Output::Lease(until) => self.ground.hold(until),
            Output::Fence => self.order(Order::Fence),
            Output::Unfence => self.order(Order::Unfence),
            Output::Rejoin => self.order(Order::Rejoin),
            Output::Refused(why) => self.order(Order::Refused(why)),
            Output::TurnAway { key, why } => self.order(Order::TurnAway(key, why)),
        }
        Ok(())
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
        let Some(seat) = self.seat.clone() else {
            return;
        };
        tracing::debug!("proposes: {command}");
        let says = self.says.clone();
        tokio::spawn(async move {
            // Nobody listens any more when the node is about to stop.
            let _ = says.send(seat.propose(command).await);
        });
    }

    fn see_to_voters(&mut self, now: Time) {
        if !self.engine.is_master(now) {
            return;
        }
        let wanted = self.voters.wanted(now, self.engine.view(), &self.timing);
        if let (Some(wanted), Some(seat)) = (wanted, self.seat.clone()) {
            let wanted: BTreeSet<Voter> = wanted.into_iter().map(Number::get).collect();
            tracing::info!("nodes {wanted:?} are to vote");
            tokio::spawn(DeterministicRng::<TokioRuntime>::scope(now.0, async move {
                if let Err(why) = seat.set_voters(wanted).await {
                    tracing::debug!("the voters stay as they are: {why}");
                }
            }));
        }
    }
}

fn encode(message: &Message) -> io::Result<bytes::Bytes> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    Ok(bytes.into())
}
