//! The processes of this node: tracked, sampled once a second, shown.

mod sampling;
mod show;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use ssi_api::control::{Failure, FailureKind, Reply};
use ssi_api::process::ProcessRequest;

use crate::config::Config;
use sampling::Sampled;

/// What is known of this node's processes; filled by a thread of its own, as looking at many
/// takes milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Processes(Arc<Mutex<Option<Sampled>>>);

impl Processes {
    /// Begins to track.
    ///
    /// Loading takes a tenth of a second, and 20 MB for a moment, which the C library gives
    /// back only if this is the first thread.
    pub(crate) fn start(config: &Config) -> Result<Self> {
        let known = Arc::new(Mutex::new(None));
        let ours = known.clone();
        let tracker = sampling::tracker(&config.bpf.root);
        thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || sampling::run(tracker, &ours))
            .context("cannot start a thread")?;
        Ok(Self(known))
    }

    /// Answers what is asked about processes.
    pub(crate) async fn answer(&self, request: ProcessRequest) -> Result<Reply, Failure> {
        let ProcessRequest::List { args } = request;
        let known = self.0.clone();
        let work = move || {
            // A panic ends the process (`log::end_on_panic`), so a poisoned lock is never met.
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(sampled) = known.as_mut() else {
                let soon = "processes are not known yet; try again in a moment";
                return Err(Failure::new(FailureKind::Busy, soon));
            };
            sampled.catch_up();
            let mut view = show::view(sampled);
            drop(known);
            if args {
                show::add_args(&mut view);
            }
            Ok(Reply::Processes(Box::new(view)))
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|e| Err(Failure::new(FailureKind::Internal, e.to_string())))
    }
}
