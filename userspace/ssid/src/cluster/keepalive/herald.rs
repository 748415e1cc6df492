//! Tells the other nodes what instances are good for here: what waits for them there may be
//! started, and the master makes this node a real server, or no more.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use ssi_clms::core::{NodeId, State};
use ssi_keepalive::Node;
use ssi_keepalive::readiness::Teller;
use tokio::time::{Instant, sleep, sleep_until};

use super::service::{SERVICE, op};
use crate::cluster::Member;
use crate::keepalive::{Desk, Keepalive};
use crate::random::random;

/// How long to wait before a node that didn't hear is told again.
const AGAIN: Duration = Duration::from_millis(500);
/// What changes within this time is told together, after something was just told.
const TOGETHER: Duration = Duration::from_millis(5);

/// Another node.
struct Peer {
    teller: Teller,
    /// It has not answered the last message yet.
    busy: bool,
}

type Calls = FuturesUnordered<BoxFuture<'static, (NodeId, bool)>>;

/// Tells, whenever something has changed or somebody has come, as long as this node is in
/// the cluster.
pub(super) async fn run(member: Weak<Member>, desk: Keepalive) {
    let Some(mut views) = member.upgrade().map(|member| member.handle.views()) else {
        return;
    };
    let mut news = desk.news();
    let mut peers: BTreeMap<NodeId, Peer> = BTreeMap::new();
    let mut calls = Calls::new();
    let mut told = Instant::now();
    loop {
        sleep_until(told + TOGETHER).await;
        news.mark_unchanged();
        let others: Vec<NodeId> = {
            let view = views.borrow_and_update();
            let up = view.present().filter(|member| member.state == State::Up);
            up.map(|member| member.id).collect()
        };
        let Some(here) = member.upgrade() else { return };
        let own = here.kept().number;
        peers.retain(|id, _| others.contains(id));
        for id in others.into_iter().filter(|id| id.number.get() != own) {
            peers.entry(id).or_insert_with(|| Peer {
                // Another life of it may have heard of us before.
                teller: Teller::new(random()),
                busy: false,
            });
        }
        let heard = desk.with(Desk::news).await;
        let Ok(heard) = heard else { return };
        for (id, peer) in &mut peers {
            if Node::new(id.number.get()).is_some_and(|node| heard.unknowing.contains(&node)) {
                peer.teller.tell_all();
            }
            for (instance, condition) in &heard.changed {
                peer.teller.note(instance, *condition);
            }
        }
        let mut idle = peers.values().filter(|peer| !peer.busy);
        let all = if idle.any(|peer| peer.teller.tells_all()) {
            let Ok(all) = desk.with(|desk| desk.conditions()).await else {
                return;
            };
            all
        } else {
            Vec::new()
        };
        for (id, peer) in peers.iter_mut().filter(|(_, peer)| !peer.busy) {
            let Some(message) = peer.teller.next(|| all.clone()) else {
                continue;
            };
            (peer.busy, told) = (true, Instant::now());
            let (id, here) = (*id, here.clone());
            calls.push(Box::pin(async move {
                let number = id.number.get();
                let heard = here.ask(&SERVICE, number, op::READY, &message).await;
                if heard.is_err() {
                    sleep(AGAIN).await;
                }
                (id, heard.unwrap_or(false))
            }));
        }
        drop(here);
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            changed = views.changed() => if changed.is_err() { return },
            Some((id, understood)) = calls.next() => {
                if let Some(peer) = peers.get_mut(&id) {
                    peer.busy = false;
                    if !understood {
                        peer.teller.tell_all();
                    }
                }
            }
        }
    }
}
