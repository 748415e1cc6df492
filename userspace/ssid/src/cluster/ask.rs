//! What nodes ask each other about the cluster, besides what membership itself does: to
//! have the master write something, and for what subsystems have agreed on.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssi_api::control::{Failure, FailureKind};
use ssi_clms::core::command::Command;
use ssi_clms::core::{Epoch, Number, State};
use ssi_clms::runner::{Handle, NotProposed};
use ssi_ics::core::Priority;
use ssi_ics::runner::{Ics, Register, Request};

use super::world::World;
use crate::data_path;
use crate::keepalive::Keepalive;

/// The service, and what it is asked for.
const SERVICE: &str = "ssid";
mod op {
    pub(super) const PROPOSE: u16 = 1;
    pub(super) const REGISTRY: u16 = 2;
    pub(super) const AGREED: u16 = 3;
    pub(super) const KEEPALIVE: u16 = 4;
    pub(super) const KEEPALIVE_AGREED: u16 = 5;
}

/// Whose state a member lacks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// The virtual services'.
    Lvs,
    /// That of what is kept alive.
    Keepalive,
}

impl Of {
    const fn state(self) -> u16 {
        match self {
            Self::Lvs => op::REGISTRY,
            Self::Keepalive => op::KEEPALIVE,
        }
    }

    const fn agreed(self) -> u16 {
        match self {
            Self::Lvs => op::AGREED,
            Self::Keepalive => op::KEEPALIVE_AGREED,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Lvs => "its virtual services",
            Self::Keepalive => "what is kept alive",
        }
    }
}

/// How long a change may take to find a master.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);
/// How long to wait before a director is asked again what it has carried out, at first.
const LOOK: Duration = Duration::from_millis(1);
/// How long to wait before the next.
const AGAIN: Duration = Duration::from_millis(50);

/// What the master makes of a proposal.
#[derive(Serialize, Deserialize)]
enum Said {
    /// It is written.
    Written(Epoch),
    /// It changes nothing, for a reason.
    Refused(String),
    /// This node is not the master.
    NotMaster,
    /// It may be written or not.
    Unknown(String),
}

/// Asks.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) ics: Ics,
    pub(super) handle: Handle,
}

impl Ask {
    /// Has the master write an entry; the epoch it led to.
    pub(super) async fn propose(&self, command: Command) -> Result<Epoch, Failure> {
        let body = postcard::to_stdvec(&command)
            .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))?;
        let body = Bytes::from(body);
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.attempt(&command, body.clone()).await {
                Some(Said::Written(epoch)) => return Ok(epoch),
                Some(Said::Refused(why)) => return Err(Failure::new(FailureKind::Refused, why)),
                Some(Said::Unknown(why)) => {
                    let unknown = format!("whether the cluster took it is not known: {why}");
                    return Err(Failure::new(FailureKind::Internal, unknown));
                }
                Some(Said::NotMaster) | None => {}
            }
            if tokio::time::Instant::now() > until {
                let none = "the cluster has no master now; `ssi cluster` says what it waits for";
                return Err(Failure::new(FailureKind::Busy, none));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn attempt(&self, command: &Command, body: Bytes) -> Option<Said> {
        let status = self.handle.status().await.ok()?;
        let (own, master) = (status.id?, status.view.master?.node);
        if own == master {
            return Some(said(self.handle.propose(command.clone()).await));
        }
        let calling = self
            .ics
            .call(master.number.get(), SERVICE, op::PROPOSE, body);
        let calling = calling.priority(Priority::HIGHEST).deadline(ATTEMPT);
        let answer = match calling.send().await {
            // It never went.
            Err(_) => return None,
            Ok(reply) => reply.wait().await,
        };
        match answer {
            Ok(answer) => postcard::from_bytes(&answer).ok(),
            Err(error) => Some(Said::Unknown(error.to_string())),
        }
    }

    /// Whether, of members that all miss entries, this one is to go on with the state that
    /// it has, up to `here`: nobody has more, and nobody with as much has a lower number. The
    /// others take it over then. Not while one of them does not answer.
    pub(super) async fn leads(&self, of: Of, here: Epoch) -> bool {
        let Ok(status) = self.handle.status().await else {
            return false;
        };
        let Some(own) = status.id else { return false };
        let others = status
            .view
            .present()
            .filter(|member| member.id != own && member.state == State::Up);
        for number in others.map(|member| member.id.number) {
            let Some(theirs) = self.agreed(of, number).await else {
                return false;
            };
            if theirs > here || theirs == here && number < own.number {
                return false;
            }
        }
        true
    }

    /// Up to which epoch a member has carried out what was agreed; none if it doesn't answer.
    async fn agreed(&self, of: Of, number: Number) -> Option<Epoch> {
        let calling = self
            .ics
            .call(number.get(), SERVICE, of.agreed(), Bytes::new());
        let said = calling.deadline(ATTEMPT).await.ok()?;
        said.as_ref().try_into().map(u64::from_be_bytes).ok()
    }

    /// Returns when every other node that directs an address has carried out what was agreed
    /// up to `epoch`, or says nothing.
    pub(super) async fn directors_have(&self, epoch: Epoch) {
        let Ok(status) = self.handle.status().await else {
            return;
        };
        let owners = status.view.owners.values().filter_map(|held| held.owner);
        let others: BTreeSet<Number> = owners
            .filter(|owner| Some(*owner) != status.id)
            .map(|owner| owner.number)
            .collect();
        for number in others {
            let mut pause = LOOK;
            while self
                .agreed(Of::Lvs, number)
                .await
                .is_some_and(|has| has < epoch)
            {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }

    /// The state of some other member that has it up to `epoch` at least; none if there
    /// is no other that could.
    pub(super) async fn state(&self, of: Of, epoch: Epoch) -> Result<Option<Vec<u8>>> {
        let Ok(status) = self.handle.status().await else {
            bail!("membership has stopped");
        };
        let others = status
            .view
            .present()
            .filter(|member| Some(member.id) != status.id && member.state == State::Up);
        let mut others: Vec<Number> = others.map(|member| member.id.number).collect();
        // The master has seen every entry.
        let master = status.view.master.map(|master| master.node.number);
        others.sort_by_key(|number| Some(*number) != master);
        if others.is_empty() {
            return Ok(None);
        }
        let body = Bytes::copy_from_slice(&epoch.to_be_bytes());
        for number in others {
            let calling = self
                .ics
                .call(number.get(), SERVICE, of.state(), body.clone());
            if let Ok(state) = calling.deadline(ATTEMPT).await {
                return Ok(Some(state.to_vec()));
            }
        }
        bail!("no other member tells {} yet", of.name());
    }
}

fn said(proposed: Result<Result<Epoch, ssi_clms::core::command::Refused>, NotProposed>) -> Said {
    match proposed {
        Ok(Ok(epoch)) => Said::Written(epoch),
        Ok(Err(why)) => Said::Refused(why.to_string()),
        Err(NotProposed::NotTaken(_)) => Said::NotMaster,
        Err(why) => Said::Unknown(why.to_string()),
    }
}

/// Answers what others ask.
pub(super) fn serve(
    ask: &Ask,
    world: std::sync::Arc<World>,
    desk: Keepalive,
) -> Result<(), Register> {
    let handle = ask.handle.clone();
    ask.ics.register(SERVICE, move |request: Request| {
        let (handle, world, desk) = (handle.clone(), world.clone(), desk.clone());
        async move {
            let other = |why: String| ssi_ics::core::Failure::Other(why);
            match request.op {
                op::PROPOSE => {
                    let command = postcard::from_bytes(&request.body)
                        .map_err(|error| other(error.to_string()))?;
                    let said = said(handle.propose(command).await);
                    let bytes = postcard::to_stdvec(&said).map_err(|e| other(e.to_string()))?;
                    Ok(Bytes::from(bytes))
                }
                op::REGISTRY => {
                    let epoch = request.body.as_ref().try_into().map(u64::from_be_bytes);
                    let epoch = epoch.map_err(|_| other("no epoch".to_owned()))?;
                    let state = data_path::with(&world.data_path, move |path| path.export(epoch));
                    let state = state.await.map_err(|error| other(format!("{error:#}")))?;
                    Ok(Bytes::from(state))
                }
                op::AGREED => {
                    let here = data_path::with(&world.data_path, |path| Ok(path.agreed()));
                    let here = here.await.map_err(|error| other(format!("{error:#}")))?;
                    Ok(Bytes::copy_from_slice(&here.to_be_bytes()))
                }
                op::KEEPALIVE => {
                    let epoch = request.body.as_ref().try_into().map(u64::from_be_bytes);
                    let epoch = epoch.map_err(|_| other("no epoch".to_owned()))?;
                    let state = desk.with(move |desk| desk.export(epoch)).await;
                    let state = state.map_err(|error| other(error.to_string()))?;
                    Ok(Bytes::from(state.map_err(other)?))
                }
                op::KEEPALIVE_AGREED => {
                    let here = desk.with(|desk| desk.epoch()).await;
                    let here = here.map_err(|error| other(error.to_string()))?;
                    Ok(Bytes::copy_from_slice(&here.to_be_bytes()))
                }
                unknown => Err(other(format!("ssid knows no {unknown}"))),
            }
        }
    })
}
