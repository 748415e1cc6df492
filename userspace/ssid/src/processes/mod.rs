//! The processes of this node: tracked, sampled once a second, shown, signalled.

mod glance;
mod page;
mod priority;
mod sampling;
mod show;
mod signal;
mod tuning;
mod waits;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use ssi_api::control::{Failure, FailureKind};
use ssi_api::process::{BusyView, Looked, Niced, ProcessesView, Signalled, Swept, WaitsView};

use crate::config::Config;
pub(crate) use glance::{Glance, Sweep};
pub(crate) use page::{Page, Wanted};
pub(crate) use priority::Renice;
use sampling::Sampled;
pub(crate) use signal::{Order, SessionOrder};
use tuning::Tuning;

/// What is known of this node's processes; filled by a thread of its own, as looking at many
/// takes milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    known: Arc<Mutex<Option<Sampled>>>,
    tuning: Arc<Tuning>,
}

impl Processes {
    /// Begins to track.
    ///
    /// Loading takes a tenth of a second, and 20 MB for a moment, which the C library gives
    /// back only if this is the first thread.
    pub(crate) fn start(config: &Config) -> Result<Self> {
        let known = Arc::new(Mutex::new(None));
        let tuning = Arc::new(Tuning::default());
        tuning.set(config);
        let (ours, wanted) = (known.clone(), tuning.clone());
        let tracker = sampling::tracker(&config.bpf.root);
        thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || sampling::run(tracker, &ours, &wanted))
            .context("cannot start a thread")?;
        Ok(Self { known, tuning })
    }

    /// Does as a changed configuration says, within a second.
    pub(crate) fn reconfigure(&self, config: &Config) {
        self.tuning.set(config);
    }

    /// As many as are told at once.
    pub(crate) async fn page(&self, wanted: Wanted) -> Result<Page, Failure> {
        let processes = self.clone();
        blocking(move || Ok(page::page(processes.view()?, wanted))).await?
    }

    /// Sends signals; what became of each, in the order of their targets.
    pub(crate) async fn signal(&self, order: Order) -> Result<Vec<Signalled>, Failure> {
        // Looking for a group is a file for every process.
        blocking(move || order.carry_out()).await
    }

    /// Sends signals to sessions, likewise.
    pub(crate) async fn signal_sessions(
        &self,
        order: SessionOrder,
    ) -> Result<Vec<Signalled>, Failure> {
        blocking(move || order.0.carry_out_on_sessions()).await
    }

    /// Changes the niceness of processes; what became of each, in the order of their targets.
    pub(crate) async fn renice(&self, order: Renice) -> Result<Vec<Niced>, Failure> {
        blocking(move || order.carry_out()).await
    }

    /// Looks at something of a process.
    pub(crate) async fn look(&self, glance: Glance) -> Result<Looked, Failure> {
        blocking(move || glance.see()).await
    }

    /// Looks at what everybody may see of all processes.
    pub(crate) async fn sweep(&self, sweep: Sweep) -> Result<Swept, Failure> {
        let swept = blocking(move || sweep.see()).await?;
        swept.map_err(|e| Failure::new(FailureKind::Internal, format!("cannot read /proc: {e}")))
    }

    /// All pids.
    pub(crate) async fn pids(&self) -> Result<Vec<u32>, Failure> {
        let pids = blocking(ssi_vproc::look::pids).await?;
        pids.map_err(|e| Failure::new(FailureKind::Internal, format!("cannot read /proc: {e}")))
    }

    /// How busy this node is: what was sampled in the last second.
    pub(crate) fn busy(&self) -> Result<BusyView, Failure> {
        self.with(|sampled| show::busy(sampled))
    }

    /// How long tasks waited; none: it isn't measured.
    pub(crate) fn waits(&self) -> Result<Option<WaitsView>, Failure> {
        let read = self.with(|sampled| sampled.waits.read(&sampled.tracker))?;
        read.map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))
    }

    fn view(&self) -> Result<ProcessesView, Failure> {
        self.with(|sampled| {
            sampled.look();
            show::view(sampled)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Sampled) -> T) -> Result<T, Failure> {
        // A panic ends the process (`log::end_on_panic`), so a poisoned lock is never met.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_mut() {
            Some(sampled) => Ok(work(sampled)),
            None => {
                let soon = "processes are not known yet; try again in a moment";
                Err(Failure::new(FailureKind::Busy, soon))
            }
        }
    }
}

/// Does what takes its time where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Failure::new(FailureKind::Internal, e.to_string()))
}
