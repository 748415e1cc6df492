//! Entries of the view log: taken in, and written.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use ssi_api::control::{Failure, FailureKind};
use ssi_clms::core::command::Command;
use ssi_clms::core::follower::Installed;
use ssi_clms::core::{Epoch, NodeId};
use ssi_keepalive::agreed::Entry;

use super::Supervision;
use crate::cluster::ask::Of;
use crate::cluster::start::KEEPALIVE;

/// How long whoever wants a change waits for this node to have taken it in.
const PATIENCE: Duration = Duration::from_secs(10);
/// Outcomes that are kept for those who wait for them.
const OUTCOMES: usize = 256;
/// Attempts in a row to have the state from another member, half a second apart, after
/// which those that miss entries look whether all do.
const VAIN: u32 = 4;

impl Supervision {
    /// Takes an entry of the log in.
    pub(in super::super) async fn take_in(
        &self,
        installed: &Installed,
        own: Option<NodeId>,
    ) -> Result<()> {
        let epoch = installed.view.epoch;
        if installed.whole {
            self.catch_up(epoch).await?;
        }
        let view = installed.view.clone();
        let transitions = installed.transitions.clone();
        let told = installed.told.as_ref();
        let told = told.filter(|(subsystem, _)| subsystem == KEEPALIVE);
        let told = told.map(|(_, body)| body.clone());
        let done = self
            .desk
            .with(move |desk| desk.install(view, own, &transitions, told.as_deref()))
            .await??;
        if let Err(why) = &done {
            tracing::info!("epoch {epoch}: what is kept alive stays as it is: {why}");
            let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.insert(epoch, done);
            while outcomes.len() > OUTCOMES {
                outcomes.pop_first();
            }
        }
        Ok(())
    }

    /// Entries are missing: another member tells the whole state.
    async fn catch_up(&self, epoch: Epoch) -> Result<()> {
        let here = self.desk.with(|desk| desk.epoch()).await?;
        if here >= epoch {
            return Ok(());
        }
        match self.ask.state(Of::Keepalive, epoch).await {
            Ok(Some(state)) => {
                self.vain.store(0, Ordering::Relaxed);
                self.desk.with(move |desk| desk.import(&state)).await?
            }
            // Nobody else is there: what this node has is what there is.
            Ok(None) => Ok(()),
            Err(error) => {
                let vain = self.vain.fetch_add(1, Ordering::Relaxed) + 1;
                if vain < VAIN || !self.ask.leads(Of::Keepalive, here).await {
                    return Err(error);
                }
                tracing::warn!(
                    "no member has followed the log to epoch {epoch}: all go on with what this node knows of what is kept alive, of epoch {here}"
                );
                self.vain.store(0, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Has the cluster agree to an entry; returns when this node has taken it in.
    pub(super) async fn agree(&self, entry: &Entry) -> Result<(), Failure> {
        let epoch = self.write(entry).await?;
        self.taken_in(epoch).await?;
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        match outcomes.get(&epoch) {
            Some(Err(why)) => Err(Failure::new(FailureKind::Refused, why.clone())),
            _ => Ok(()),
        }
    }

    /// Writes an entry to the log; the epoch it led to.
    pub(super) async fn write(&self, entry: &Entry) -> Result<Epoch, Failure> {
        let told = Command::Tell {
            subsystem: KEEPALIVE.to_owned(),
            body: entry.encode(),
        };
        self.ask.propose(told).await
    }

    /// Returns when this node has followed the log so far.
    pub(super) async fn taken_in(&self, epoch: Epoch) -> Result<(), Failure> {
        let mut done = self.desk.done();
        let waited = tokio::time::timeout(PATIENCE, done.wait_for(|done| *done >= epoch)).await;
        if matches!(waited, Ok(Ok(_))) {
            return Ok(());
        }
        let late = "the cluster has agreed to it, but this node has not carried it out yet; `ssi cluster` says what it waits for";
        Err(Failure::new(FailureKind::Busy, late))
    }
}

/// How long what runs here may take to end when this node leaves.
const LEAVING: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

impl Supervision {
    /// Ends what is left here: this node has left, and what could go elsewhere has gone.
    pub(in super::super) async fn end(&self) {
        let all = async {
            while self
                .desk
                .with(crate::keepalive::Desk::end)
                .await
                .unwrap_or(0)
                > 0
            {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(LEAVING, all).await.is_err() {
            tracing::warn!("this node has left, and not everything that ran here has ended");
        }
    }
}
