//! What is done to processes of any node: each node does its part, all at the same time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ssi_api::control::Failure;
use ssi_api::process::{Niced, Signalled, Target};

use super::super::{Cluster, Member};
use super::service::{SERVICE, op, up};
use crate::processes::{Order, Processes, Renice, SessionOrder};

/// What became of each target.
type Outcome<A> = Result<Vec<A>, Failure>;

/// Numbers on their node, and when they were forked, if that was said.
type Targets = Vec<(i32, Option<u64>)>;

/// Something that is done to processes, a part of them on each node.
pub(super) trait Deed: Serialize + Sync {
    /// What became of one.
    type Done: From<NotDone> + Clone + for<'a> Deserialize<'a> + Send + 'static;
    /// What the service is asked for.
    const OP: u16;

    /// The part that is done on this node, or on another.
    fn part(&self, targets: Targets, here: bool) -> Self;

    /// Does it here.
    fn here(self, on: &Processes) -> impl Future<Output = Outcome<Self::Done>> + Send;
}

impl Deed for Order {
    type Done = Signalled;
    const OP: u16 = op::SIGNAL;

    fn part(&self, targets: Targets, here: bool) -> Self {
        Self {
            targets,
            // Sessions are of the node where they are.
            session: self.session.filter(|_| here),
            ..*self
        }
    }

    async fn here(self, on: &Processes) -> Outcome<Signalled> {
        on.signal(self).await
    }
}

impl Deed for SessionOrder {
    type Done = Signalled;
    const OP: u16 = op::SESSIONS;

    fn part(&self, targets: Targets, here: bool) -> Self {
        Self(self.0.part(targets, here))
    }

    async fn here(self, on: &Processes) -> Outcome<Signalled> {
        on.signal_sessions(self).await
    }
}

impl Deed for Renice {
    type Done = Niced;
    const OP: u16 = op::NICE;

    fn part(&self, targets: Targets, _: bool) -> Self {
        Self { targets, ..*self }
    }

    async fn here(self, on: &Processes) -> Outcome<Niced> {
        on.renice(self).await
    }
}

impl Cluster {
    /// Has a deed done to `targets`.
    pub(super) async fn spread<D: Deed>(&self, deed: D, targets: &[Target]) -> Outcome<D::Done> {
        let member = self.member();
        let member = member.as_deref();
        let here = member.map(|member| member.kept().number);
        // Places in `targets`, by node.
        let mut parts: BTreeMap<Option<u16>, Vec<usize>> = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            let elsewhere = target.node.filter(|node| Some(*node) != here);
            parts.entry(elsewhere).or_default().push(at);
        }
        let deed = &deed;
        let work = parts.into_iter().map(|(node, places)| async move {
            let its = places.iter().map(|at| &targets[*at]);
            let its = its.map(|target| (target.pid, target.start)).collect();
            let part = deed.part(its, node.is_none());
            let done = match (node, member) {
                (None, _) => part.here(&self.processes).await?,
                (Some(node), Some(member)) => member.order(node, &part, places.len()).await,
                (Some(_), None) => {
                    let alone = "this machine is in no cluster".to_owned();
                    vec![NotDone::NoNode(alone).into(); places.len()]
                }
            };
            Ok(places.into_iter().zip(done).collect::<Vec<_>>())
        });
        let done = futures::future::try_join_all(work).await?;
        let mut done: Vec<_> = done.into_iter().flatten().collect();
        done.sort_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, done)| done).collect())
    }
}

impl Member {
    /// Has another node do something to `count` targets.
    async fn order<D: Deed>(&self, node: u16, order: &D, count: usize) -> Vec<D::Done> {
        if let Err(why) = up(&self.handle.views().borrow(), node) {
            return vec![NotDone::NoNode(format!("node {node} {why}")).into(); count];
        }
        let done: Result<Vec<D::Done>, _> = self.ask(&SERVICE, node, D::OP, order).await;
        let why = match done {
            Ok(done) if done.len() == count => return done,
            Ok(_) => "answered something else".to_owned(),
            Err(error) => SERVICE.in_words(&error),
        };
        vec![NotDone::Unknown(format!("node {node} {why}")).into(); count]
    }
}

/// Why a node said nothing of what became of its targets.
pub(super) enum NotDone {
    /// It was not asked.
    NoNode(String),
    /// It was.
    Unknown(String),
}

impl From<NotDone> for Signalled {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::NoNode(why) => Self::NoNode(why),
            NotDone::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<NotDone> for Niced {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::NoNode(why) => Self::NoNode(why),
            NotDone::Unknown(why) => Self::Unknown(why),
        }
    }
}
