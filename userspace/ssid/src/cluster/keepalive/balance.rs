//! Has the virtual services follow what is ready where: the master writes the changes to the
//! log, as whoever types `ssi lvs` has them written.
//!
//! What is to be follows from what is agreed and from what the nodes told; what is, the
//! scheduler of this node has as all have it. So a master that is new, or is asked again, writes
//! what differs and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use ssi_api::control::{Failure, FailureKind};
use ssi_api::lvs::{Command, ServiceName};

use super::Supervision;
use super::servers::{Lingering, changes};
use crate::cluster::join::internal;
use crate::cluster::registry::Registry;
use crate::keepalive::Desk;

/// After how long without news it is looked whether anything is due.
const LOOK: Duration = Duration::from_secs(10);
/// How long to wait before what was not written is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long, if all nodes refused it: somebody must change something first.
const REFUSED: Duration = Duration::from_secs(5);

/// How long a packet that a director has sent to a server may take to be there, on a node that has
/// more to do than it can.
const ON_THE_WAY: Duration = Duration::from_millis(100);

/// Writes what is due, as long as this node is in the cluster.
pub(super) async fn run(supervision: Arc<Supervision>, registry: Arc<Registry>) {
    let mut news = supervision.desk.balance();
    let mut done = registry.done();
    let mut complained = String::new();
    let mut lingering = Lingering::default();
    loop {
        news.mark_unchanged();
        done.mark_unchanged();
        let pause = match follow(&supervision, &registry, &mut lingering).await {
            Ok(()) => None,
            Err(failure) if failure.kind == FailureKind::Refused => {
                if complained != failure.message {
                    tracing::warn!("a virtual service can't follow what is ready: {failure}");
                    complained = failure.message;
                }
                Some(REFUSED)
            }
            Err(failure) => {
                tracing::debug!("virtual services are not written yet: {failure}");
                Some(AGAIN)
            }
        };
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
            continue;
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            changed = done.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn follow(
    supervision: &Supervision,
    registry: &Registry,
    lingering: &mut Lingering,
) -> Result<(), Failure> {
    let balancing = supervision.desk.with(Desk::balancing).await;
    let Some(balancing) = balancing.map_err(|e| internal(&e))? else {
        *lingering = Lingering::default();
        return Ok(());
    };
    let named: BTreeSet<ServiceName> = balancing.wanted.keys().map(|s| s.name()).collect();
    let configured = registry.configured(named).await;
    let configured = configured.map_err(|e| internal(&e))?;
    let lists = changes(&balancing, &configured, lingering, Instant::now());
    let mut refused = None;
    if !lists.is_empty()
        && let Err(failure) = write(registry, lists.concat()).await
    {
        if failure.kind != FailureKind::Refused {
            return Err(failure);
        }
        // One that can't be must not keep the others from it.
        for list in lists {
            if let Err(failure) = write(registry, list).await {
                refused = Some(failure);
            }
        }
    }
    let leaving = balancing.leaving;
    if !leaving.is_empty() {
        tokio::time::sleep(ON_THE_WAY).await;
        let told = supervision
            .desk
            .with(move |desk: &mut Desk| desk.is_out(&leaving));
        told.await.map_err(|e| internal(&e))?;
    }
    refused.map_or(Ok(()), Err)
}

async fn write(registry: &Registry, commands: Vec<Command>) -> Result<(), Failure> {
    for command in &commands {
        tracing::info!("{}", in_words(command));
    }
    registry.apply(commands).await
}

fn in_words(command: &Command) -> String {
    match command {
        Command::AddServer {
            service,
            server,
            spec,
        }
        | Command::EditServer {
            service,
            server,
            spec,
        } => match spec.weight {
            0 => format!("{service}: {server} takes no new connections"),
            weight => format!("{service}: {server} takes connections, with weight {weight}"),
        },
        Command::DeleteServer { service, server } => format!("{service}: {server} is gone"),
        Command::AddService { service, spec } => {
            format!("{service} is made, scheduled by {}", spec.scheduler)
        }
        Command::EditService { service, spec } => {
            format!("{service} is scheduled by {}", spec.scheduler)
        }
        Command::DeleteService { service } => format!("{service} is deleted: nothing names it"),
        other => format!("{other:?}"),
    }
}
