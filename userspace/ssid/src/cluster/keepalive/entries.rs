//! What this node writes to the log by itself: what it has released or can't run, and, as
//! the master, what is to run where.

use std::sync::{Arc, Weak};
use std::time::Duration;

use ssi_keepalive::Node;

use super::Supervision;
use crate::cluster::Member;
use crate::keepalive::Desk;
use crate::processes::Processes;

/// After how long without news it is looked whether anything is due.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait before what was not written is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// How often the master looks how busy the nodes are.
const LOADS: Duration = Duration::from_secs(5);
/// Thousandths of a processor in a unit of load: one process that always wants one is 100.
const THOUSANDTHS: f64 = 10.0;

/// Writes what is due, one entry after the other, as long as this node is in the cluster.
pub(super) async fn propose(supervision: Arc<Supervision>) {
    let mut due = supervision.desk.due();
    loop {
        due.mark_unchanged();
        let Ok(entries) = supervision.desk.with(Desk::entries).await else {
            return;
        };
        if entries.is_empty() {
            match tokio::time::timeout(LOOK, due.changed()).await {
                Ok(Err(_)) => return,
                Ok(Ok(())) | Err(_) => continue,
            }
        }
        for entry in &entries {
            let written = match supervision.write(entry).await {
                // It is planned by what the one before has led to.
                Ok(epoch) => supervision.taken_in(epoch).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = written {
                tracing::debug!("not written yet: {failure}");
                tokio::time::sleep(AGAIN).await;
                break;
            }
        }
    }
}

/// Tells the desk of a master how busy the nodes are, again and again.
pub(super) async fn look_at_loads(member: Weak<Member>, processes: Processes) {
    loop {
        tokio::time::sleep(LOADS).await;
        let Some(member) = member.upgrade() else {
            return;
        };
        let desk = &member.supervision.desk;
        let wanted = desk.with(|desk| !desk.agreed.config.process.is_empty());
        let (number, master) = {
            let views = member.handle.views();
            let master = views.borrow().master.map(|master| master.node.number.get());
            (member.kept().number, master)
        };
        if master != Some(number) || !wanted.await.unwrap_or(false) {
            continue;
        }
        let loads = member.loads(&processes, None).await;
        let known = loads.nodes.iter().filter_map(|node| {
            let node_load = node.busy.load?.upper * THOUSANDTHS;
            Node::new(node.number)?;
            // Casts saturate, and loads are small.
            Some((node.number, node_load as u32))
        });
        let known = known.collect();
        if desk.with(move |desk| desk.loads = known).await.is_err() {
            return;
        }
    }
}
