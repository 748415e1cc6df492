//! The end that dials.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Refusal, protect, run};
use crate::core::Lane;
use crate::runner::config::PeerInfo;
use crate::runner::ics::HANDSHAKE;
use crate::runner::remote::Remote;

/// How long to wait after a connection went or did not come about: the first time, and at
/// most; it doubles in between.
const FIRST: Duration = Duration::from_millis(20);
const MOST: Duration = Duration::from_millis(500);
/// So many times as long a node may take to answer at all. Its kernel drops what comes from one
/// that it doesn't know yet; TCP would ask again after a second (RFC 6298 §2.1), in which the
/// two can't talk.
const ANSWER: u32 = 5;

/// Keeps one connection per lane to a node with a higher number, while it is up.
pub(in crate::runner) fn dial(remote: &Arc<Remote>) {
    if remote.node < remote.shared.config.node {
        return;
    }
    for lane in Lane::ALL {
        let remote = Arc::clone(remote);
        let shared = Arc::clone(&remote.shared);
        shared.spawn_for(lane, keep(remote, lane));
    }
}

async fn keep(remote: Arc<Remote>, lane: Lane) {
    let shared = Arc::clone(&remote.shared);
    let mut wait = FIRST;
    loop {
        let redial = shared.redial.notified();
        tokio::pin!(redial);
        redial.as_mut().enable();
        let Some(peer) = shared.peer(remote.node) else {
            redial.await;
            wait = FIRST;
            continue;
        };
        let dialled = protect::dial(&remote, lane, &peer, wait * ANSWER);
        let dialled = tokio::select! {
            dialled = timeout(HANDSHAKE, dialled) => dialled,
            // Who doesn't answer may be about to leave, and must not be waited for when it is
            // back.
            () = gone(&remote, &peer) => {
                wait = FIRST;
                continue;
            }
        };
        match dialled {
            Ok(Ok(greeted)) => {
                wait = FIRST;
                let why = run::run(Arc::clone(&remote), greeted).await;
                shared.refuse(Some(remote.node), &why);
            }
            // That it is about to know this one is nothing to tell anybody.
            Ok(Err(Refusal::NoAnswer)) if wait < MOST => {}
            Ok(Err(why)) => shared.refuse(Some(remote.node), &why),
            Err(_) => shared.refuse(Some(remote.node), &Refusal::Timeout),
        }
        // A new view may be what it takes.
        let _ = timeout(wait, redial).await;
        wait = (wait * 2).min(MOST);
    }
}

/// Waits for a view that does not have this life of the node.
async fn gone(remote: &Remote, peer: &PeerInfo) {
    loop {
        let redial = remote.shared.redial.notified();
        tokio::pin!(redial);
        redial.as_mut().enable();
        if remote.shared.peer(remote.node).as_ref() != Some(peer) {
            return;
        }
        redial.await;
    }
}
