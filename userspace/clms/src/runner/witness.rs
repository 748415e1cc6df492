//! A witness: a voter without a node, a process on any machine.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

use super::Messenger;
use super::wire::{self, Wires};
use crate::core::Timing;
use crate::log::{Generation, News, Seat, Store, WITNESS};

/// A running witness. It only answers what voters ask it, but for [`Self::run`].
#[derive(Debug)]
pub struct Witness {
    seat: Seat,
    heard: Mutex<Instant>,
}

impl Witness {
    /// A witness whose log is in `store`; `seed` seeds what the log leaves to chance, `news`
    /// is told what is committed. It waits a moment first: what it promised before it was
    /// last stopped is not on disk.
    ///
    /// # Errors
    /// The log can't be read.
    pub async fn new<M: Messenger>(
        timing: &Timing,
        messenger: M,
        store: Store,
        seed: u64,
        news: News,
    ) -> io::Result<Self> {
        tokio::time::sleep(timing.mastery).await;
        let generation = Generation::default();
        let wires = Wires {
            messenger,
            heartbeats: None,
            generation: generation.clone(),
        };
        let taking = Seat::take(WITNESS, timing, generation, wires, store, news);
        let seat = DeterministicRng::<TokioRuntime>::scope(seed, taking).await?;
        Ok(Self {
            seat,
            heard: Mutex::new(Instant::now()),
        })
    }

    /// Answers a voter's log, as it came by
    /// [`Messenger::ask_log`].
    ///
    /// # Errors
    /// The question makes no sense, or the log has stopped.
    pub async fn answer(&self, question: &[u8]) -> io::Result<Bytes> {
        let said = wire::answer(&self.seat, question).await?;
        if wire::is_leaders(question) {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        Ok(said)
    }

    /// Helps the pair out when it can't elect a leader without; for as long as the witness
    /// runs.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            self.seat.witness(heard.elapsed()).await;
        }
    }
}

/// How often a witness looks whether it is needed.
const LOOK: Duration = Duration::from_millis(100);
