//! This node's seat among the voters, which it leaves for another when the log is founded
//! anew.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;
use tokio::sync::{Notify, mpsc, watch};

use super::Messenger;
use super::heartbeats::Heartbeats;
use super::wire::{self, Wires};
use crate::core::Timing;
use crate::core::command::Command;
use crate::log::{Applied, Generation, Seat, Store, Voter};

/// The seat, for whoever has to do with it.
#[derive(Clone, Debug)]
pub(super) struct Chair(watch::Receiver<Option<Seat>>);

impl Chair {
    pub(super) fn seat(&self) -> Option<Seat> {
        self.0.borrow().clone()
    }

    pub(super) async fn answer(&self, question: &[u8]) -> io::Result<Bytes> {
        let seat = self.seat();
        let seat = seat.ok_or_else(|| io::Error::other("this node has no seat in the log"))?;
        wire::answer(&seat, question).await
    }
}

/// What a seat is made of, and who sits there.
pub(super) struct Seating<M> {
    log: Option<(Voter, Store)>,
    timing: Timing,
    messenger: M,
    heartbeats: Heartbeats,
    news: mpsc::UnboundedSender<Applied>,
    seed: u64,
    seat: Arc<watch::Sender<Option<Seat>>>,
    /// This node has come to lead, or leads no more.
    leads: Arc<Notify>,
}

impl<M: Messenger> Seating<M> {
    /// Takes the seat, if there is a log.
    pub(super) async fn new(
        log: Option<(Voter, Store)>,
        timing: Timing,
        messenger: M,
        heartbeats: Heartbeats,
        news: mpsc::UnboundedSender<Applied>,
        seed: u64,
    ) -> io::Result<Self> {
        let seating = Self {
            log,
            timing,
            messenger,
            heartbeats,
            news,
            seed,
            seat: Arc::new(watch::Sender::new(None)),
            leads: Arc::new(Notify::new()),
        };
        if let Some((voter, store)) = seating.log.clone() {
            seating
                .seat
                .send_replace(Some(seating.take(voter, store).await?));
        }
        Ok(seating)
    }

    pub(super) fn chair(&self) -> Chair {
        Chair(self.seat.subscribe())
    }

    pub(super) fn seat(&self) -> Option<Seat> {
        self.seat.borrow().clone()
    }

    /// Waits until this node has come to lead the log, or leads it no more.
    pub(super) async fn leads(&self) {
        self.leads.notified().await;
    }

    fn take(
        &self,
        voter: Voter,
        store: Store,
    ) -> impl Future<Output = io::Result<Seat>> + Send + use<M> {
        let generation = Generation::default();
        let wires = Wires {
            messenger: self.messenger.clone(),
            heartbeats: Some((voter, self.heartbeats.clone())),
            generation: generation.clone(),
        };
        let news = self.news.clone();
        let told = Box::new(move |applied| {
            // Nobody listens any more when the node is about to stop.
            let _ = news.send(applied);
        });
        let (timing, leads) = (self.timing.clone(), self.leads.clone());
        DeterministicRng::<TokioRuntime>::scope(self.seed, async move {
            let seat = Seat::take(voter, &timing, generation, wires, store, told).await?;
            let mut leading = seat.leading();
            tokio::spawn(async move {
                while leading.changed().await {
                    leads.notify_one();
                }
            });
            Ok(seat)
        })
    }

    /// Leaves the seat with its log and takes another with none; then founds a log, if one
    /// is to be founded here. Says how that ended.
    pub(super) fn anew(
        &self,
        found: Option<Command>,
        ended: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        let (Some((voter, store)), Some(old)) = (self.log.clone(), self.seat.send_replace(None))
        else {
            return ended(Err(io::Error::other("there is no seat to leave")));
        };
        let seat = self.seat.clone();
        let taking = self.take(voter, store.clone());
        let seed = self.seed ^ 2;
        tokio::spawn(async move {
            let done = async {
                old.leave().await;
                store.clear()?;
                let new = taking.await?;
                if let Some(command) = found {
                    DeterministicRng::<TokioRuntime>::scope(seed, new.found(command)).await?;
                }
                seat.send_replace(Some(new));
                Ok(())
            };
            ended(done.await);
        });
    }
}
