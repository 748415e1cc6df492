//! Tells the other nodes what is ready here: what waits for it there may be started.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ssi_clms::core::{NodeId, State};
use tokio::sync::watch;

use super::service::{SERVICE, op};
use crate::cluster::Member;

/// How long to wait before a node that didn't hear is told again.
const AGAIN: Duration = Duration::from_millis(500);

/// Tells, whenever something has changed or somebody has come, as long as this node is in
/// the cluster.
pub(super) async fn run(member: Weak<Member>, mut ready: watch::Receiver<Vec<Arc<str>>>) {
    let Some(mut views) = member.upgrade().map(|member| member.handle.views()) else {
        return;
    };
    let mut told: BTreeMap<NodeId, Vec<Arc<str>>> = BTreeMap::new();
    loop {
        let names = ready.borrow_and_update().clone();
        let others: Vec<NodeId> = {
            let view = views.borrow_and_update();
            let up = view.present().filter(|member| member.state == State::Up);
            up.map(|member| member.id).collect()
        };
        told.retain(|id, _| others.contains(id));
        let Some(here) = member.upgrade() else { return };
        let own = here.kept().number;
        let mut missed = false;
        for id in others {
            let number = id.number.get();
            // Who has heard nothing yet thinks that nothing is ready.
            let knows = told
                .get(&id)
                .map_or(names.is_empty(), |told| *told == names);
            if number == own || knows {
                continue;
            }
            match here.ask::<_, ()>(&SERVICE, number, op::READY, &names).await {
                Ok(()) => {
                    told.insert(id, names.clone());
                }
                Err(_) => missed = true,
            }
        }
        drop(here);
        let news = async {
            tokio::select! {
                changed = ready.changed() => changed.is_ok(),
                changed = views.changed() => changed.is_ok(),
            }
        };
        let goes_on = if missed {
            tokio::time::timeout(AGAIN, news).await.unwrap_or(true)
        } else {
            news.await
        };
        if !goes_on {
            return;
        }
    }
}
