//! Signals to processes of any node.

use std::collections::BTreeMap;

use ssi_api::control::Failure;
use ssi_api::process::{Signalled, Target};

use super::super::{Cluster, Member};
use super::service::{in_words, op, up};
use crate::processes::Order;

impl Cluster {
    /// Has each node send its part, all at the same time.
    pub(super) async fn signal(
        &self,
        member: Option<&Member>,
        signal: i32,
        targets: &[Target],
        user: u32,
    ) -> Result<Vec<Signalled>, Failure> {
        let here = member.map(|member| member.kept().number);
        // Places in `targets`, by node.
        let mut parts: BTreeMap<Option<u16>, Vec<usize>> = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            let elsewhere = target.node.filter(|node| Some(*node) != here);
            parts.entry(elsewhere).or_default().push(at);
        }
        let work = parts.into_iter().map(|(node, places)| async move {
            let part = places.iter().map(|at| &targets[*at]);
            let order = Order {
                user,
                signal,
                targets: part.map(|target| (target.pid, target.start)).collect(),
            };
            let sent = match (node, member) {
                (None, _) => self.processes.signal(order).await?,
                (Some(node), Some(member)) => member.order(node, &order).await,
                (Some(_), None) => {
                    let alone = "this machine is in no cluster".to_owned();
                    vec![Signalled::NoNode(alone); places.len()]
                }
            };
            Ok(places.into_iter().zip(sent).collect::<Vec<_>>())
        });
        let sent = futures::future::try_join_all(work).await?;
        let mut sent: Vec<_> = sent.into_iter().flatten().collect();
        sent.sort_by_key(|(at, _)| *at);
        Ok(sent.into_iter().map(|(_, sent)| sent).collect())
    }
}

impl Member {
    /// Has another node send signals.
    async fn order(&self, node: u16, order: &Order) -> Vec<Signalled> {
        let count = order.targets.len();
        if let Err(why) = up(&self.handle.views().borrow(), node) {
            return vec![Signalled::NoNode(format!("node {node} {why}")); count];
        }
        let sent = self.ask::<_, Vec<Signalled>>(node, op::SIGNAL, order).await;
        let why = match sent {
            Ok(sent) if sent.len() == count => return sent,
            Ok(_) => "answered something else".to_owned(),
            Err(error) => in_words(&error),
        };
        vec![Signalled::Unknown(format!("node {node} {why}")); count]
    }
}
