//! The registry of virtual services, agreed by all nodes: what is typed at one is written
//! to the view log, and every node carries it out at that entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use ssi_api::control::{Failure, FailureKind};
use ssi_api::lvs::{Command, ServiceName};
use ssi_clms::core::Epoch;
use ssi_clms::core::command;
use ssi_clms::core::follower::Installed;
use ssi_lvs::core::{AgreedService, Step};
use tokio::sync::watch;

use super::ask::{Ask, Of};
use super::company;
use super::start::LVS;
use super::world::World;
use crate::data_path;

/// How long whoever typed a change waits for this node to have carried it out.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long for the directors.
const DIRECTORS: Duration = Duration::from_secs(1);
/// Outcomes that are kept for those who wait for them.
const OUTCOMES: usize = 256;
/// Bytes of one entry, of those that the log takes; a longer list goes in several.
const ENTRY: usize = command::MOST_TOLD - 1_024;

/// Attempts in a row to have the registry from another member, half a second apart, after
/// which those that miss entries look whether all do.
const VAIN: u32 = 4;

/// The registry of this node.
pub(super) struct Registry {
    world: Arc<World>,
    ask: Ask,
    /// Up to which epoch it has been carried out here.
    done: watch::Sender<Epoch>,
    outcomes: Mutex<BTreeMap<Epoch, Result<(), Failure>>>,
    /// Attempts in vain, in a row, to have it from another member.
    vain: AtomicU32,
}

impl Registry {
    pub(super) fn new(world: Arc<World>, ask: Ask) -> Self {
        Self {
            world,
            ask,
            done: watch::Sender::new(0),
            outcomes: Mutex::default(),
            vain: AtomicU32::new(0),
        }
    }

    /// Up to which epoch it has been carried out here.
    pub(super) fn done(&self) -> watch::Receiver<Epoch> {
        self.done.subscribe()
    }

    /// The services of these names, and those that supervision has anything in.
    pub(super) async fn configured(
        &self,
        named: BTreeSet<ServiceName>,
    ) -> Result<Vec<AgreedService>> {
        data_path::with(&self.world.data_path, move |path| {
            Ok(path.configured(&named))
        })
        .await
    }

    /// Carries out what an entry of the log says.
    pub(super) async fn take_in(&self, installed: &Installed) -> Result<()> {
        let epoch = installed.view.epoch;
        if installed.whole {
            self.catch_up(epoch).await?;
        }
        let mut told = Vec::new();
        if let Some((subsystem, body)) = &installed.told
            && subsystem == LVS
        {
            match serde_json::from_slice::<Vec<Command>>(body) {
                Ok(commands) => told.push(commands),
                // All nodes find it so.
                Err(error) => self.keep(
                    epoch,
                    Err(Failure::new(FailureKind::Internal, error.to_string())),
                ),
            }
        }
        let step = Step {
            epoch,
            absent: company::absent(&installed.view),
            told,
        };
        let data_path = &self.world.data_path;
        let outcomes = data_path::with(data_path, move |path| path.step(&step)).await?;
        for outcome in outcomes {
            self.keep(epoch, outcome);
        }
        self.done.send_if_modified(|done| {
            let more = epoch > *done;
            *done = epoch.max(*done);
            more
        });
        Ok(())
    }

    /// Entries are missing: another member tells the whole state.
    async fn catch_up(&self, epoch: Epoch) -> Result<()> {
        let here = data_path::with(&self.world.data_path, |path| Ok(path.agreed())).await?;
        if here >= epoch {
            return Ok(());
        }
        let state = match self.ask.state(Of::Lvs, epoch).await {
            Ok(Some(state)) => state,
            // Nobody else is there: what this node has is what there is.
            Ok(None) => return Ok(()),
            // They may all wait for each other, who has followed the log in the last seconds
            // being gone.
            Err(error) => {
                let vain = self.vain.fetch_add(1, Ordering::Relaxed) + 1;
                if vain < VAIN || !self.ask.leads(Of::Lvs, here).await {
                    return Err(error);
                }
                tracing::warn!(
                    "no member has followed the log to epoch {epoch}: all go on with the virtual services that this node has, of epoch {here}"
                );
                self.vain.store(0, Ordering::Relaxed);
                return Ok(());
            }
        };
        self.vain.store(0, Ordering::Relaxed);
        data_path::with(&self.world.data_path, move |path| path.import(&state))
            .await
            .context("taking the virtual services over")
    }

    /// Has the cluster carry out a list of commands, whole or not at all; returns when this
    /// node has, and those that direct addresses: who connects next finds it so.
    pub(super) async fn apply(&self, commands: Vec<Command>) -> Result<(), Failure> {
        if let Err(refused) = self.check(&commands).await {
            // It may build on what was typed at another node a moment ago.
            if self.catch_up_with_log().await.is_err() {
                return Err(refused);
            }
            self.check(&commands).await?;
        }
        let mut last = 0;
        for (first, body) in entries(&commands)? {
            let told = command::Command::Tell {
                subsystem: LVS.to_owned(),
                body,
            };
            let epoch = self.ask.propose(told).await?;
            self.outcome(epoch).await.map_err(|mut failure| {
                failure.command = failure.command.map(|place| place + first);
                failure
            })?;
            last = epoch;
        }
        // A director that hangs is named elsewhere; the cluster has agreed all the same.
        let _ = tokio::time::timeout(DIRECTORS, self.ask.directors_have(last)).await;
        Ok(())
    }

    /// Whether commands can be carried out, as far as this node has followed the log.
    async fn check(&self, commands: &[Command]) -> Result<(), Failure> {
        let commands = commands.to_vec();
        data_path::with(&self.world.data_path, move |path| Ok(path.check(&commands)))
            .await
            .map_err(|error| Failure::new(FailureKind::Internal, format!("{error:#}")))?
    }

    /// Returns when this node has carried out all that the cluster had agreed to before: an
    /// entry that says nothing has come round.
    async fn catch_up_with_log(&self) -> Result<(), Failure> {
        let nothing = command::Command::Tell {
            subsystem: LVS.to_owned(),
            body: b"[]".to_vec(),
        };
        let epoch = self.ask.propose(nothing).await?;
        self.outcome(epoch).await
    }

    async fn outcome(&self, epoch: Epoch) -> Result<(), Failure> {
        let mut done = self.done.subscribe();
        let waited = tokio::time::timeout(PATIENCE, done.wait_for(|done| *done >= epoch)).await;
        if !matches!(waited, Ok(Ok(_))) {
            let late = "the cluster has agreed to it, but this node has not carried it out yet; `ssi cluster` says what it waits for";
            return Err(Failure::new(FailureKind::Busy, late));
        }
        let outcomes = self.outcomes.lock();
        let outcomes = outcomes.unwrap_or_else(PoisonError::into_inner);
        outcomes.get(&epoch).cloned().unwrap_or(Ok(()))
    }

    fn keep(&self, epoch: Epoch, outcome: Result<(), Failure>) {
        if let Err(failure) = &outcome {
            tracing::info!("epoch {epoch}: virtual services stay as they are: {failure}");
        }
        let outcomes = self.outcomes.lock();
        let mut outcomes = outcomes.unwrap_or_else(PoisonError::into_inner);
        outcomes.insert(epoch, outcome);
        while outcomes.len() > OUTCOMES {
            outcomes.pop_first();
        }
    }
}

/// Lists that an entry has room for, each with the place of its first command.
fn entries(commands: &[Command]) -> Result<Vec<(usize, Vec<u8>)>, Failure> {
    let mut entries = Vec::new();
    let mut first = 0;
    let (mut body, mut count) = (b"[".to_vec(), 0);
    for (place, command) in commands.iter().enumerate() {
        let one = serde_json::to_vec(command)
            .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
        if count > 0 && body.len() + one.len() + 2 > ENTRY {
            body.push(b']');
            entries.push((first, std::mem::replace(&mut body, b"[".to_vec())));
            (first, count) = (place, 0);
        }
        if count > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&one);
        count += 1;
    }
    body.push(b']');
    entries.push((first, body));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use ssi_api::lvs::Protocol;

    use super::*;

    fn delete(port: u16) -> Command {
        Command::DeleteService {
            service: ServiceName::Address {
                protocol: Protocol::Tcp,
                addr: "10.0.0.1".parse().unwrap(),
                port,
            },
        }
    }

    #[test]
    fn long_lists_go_in_several_entries_and_nothing_is_lost() {
        for count in [0_u16, 1, 2, 10_000] {
            let commands: Vec<Command> = (0..count).map(delete).collect();
            let entries = entries(&commands).unwrap();
            let mut back = Vec::new();
            for (first, body) in &entries {
                assert!(body.len() <= ENTRY);
                assert_eq!(*first, back.len());
                back.extend(serde_json::from_slice::<Vec<Command>>(body).unwrap());
            }
            assert_eq!(back, commands);
            assert_eq!(entries.len() > 1, count == 10_000);
        }
    }
}
