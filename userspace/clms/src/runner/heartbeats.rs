//! Heartbeats of the view log, from voters' seats to the node's task and its socket.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Beat, Ground, Heard, Input, Messenger, Node};
use crate::core::{NodeId, Number};
use crate::log::{Heartbeat, Voter};

/// How long a voter may take to agree before it is asked over a connection, which says why
/// not: a few round trips.
const SHORTLY: Duration = Duration::from_millis(25);

/// Where a seat has its heartbeats sent.
#[derive(Clone, Debug)]
pub(super) struct Heartbeats(mpsc::UnboundedSender<Asked>);

/// A heartbeat to be sent.
#[derive(Debug)]
pub(super) struct Asked {
    to: Voter,
    heartbeat: Heartbeat,
    agrees: oneshot::Sender<()>,
}

impl Heartbeats {
    /// Sends one; whether the voter has agreed shortly after. One that is no member hasn't,
    /// nor has anybody while this node is none, or where no node's task is.
    pub(super) async fn send(&self, to: Voter, heartbeat: Heartbeat) -> bool {
        let (agrees, agreed) = oneshot::channel();
        let asked = Asked {
            to,
            heartbeat,
            agrees,
        };
        self.0.send(asked).is_ok() && matches!(timeout(SHORTLY, agreed).await, Ok(Ok(())))
    }
}

/// Heartbeats that are to be sent, or are on their way.
#[derive(Debug)]
pub(super) struct Beating {
    asked: mpsc::UnboundedReceiver<Asked>,
    /// By their nonces.
    sent: BTreeMap<u64, (NodeId, oneshot::Sender<()>)>,
    nonce: u64,
}

impl Beating {
    pub(super) fn new() -> (Heartbeats, Self) {
        let (asks, asked) = mpsc::unbounded_channel();
        let beating = Self {
            asked,
            sent: BTreeMap::new(),
            nonce: 0,
        };
        (Heartbeats(asks), beating)
    }

    /// The next to be sent.
    pub(super) async fn asked(&mut self) -> Option<Asked> {
        self.asked.recv().await
    }

    fn agreed(&mut self, from: NodeId, nonce: u64) {
        if let Some((_, agrees)) = self.sent.remove(&nonce).filter(|(to, _)| *to == from) {
            // Whoever asked may have waited long enough.
            let _ = agrees.send(());
        }
    }
}

impl<G: Ground, M: Messenger> Node<G, M> {
    pub(super) fn beat(&mut self, asked: Asked) {
        let view = self.engine.view();
        let to = Number::new(asked.to).and_then(|number| view.current(number));
        let (Some(own), Some(to)) = (self.engine.id(), to) else {
            return;
        };
        let beating = &mut self.beating;
        beating.sent.retain(|_, (_, agrees)| !agrees.is_closed());
        beating.nonce = (beating.nonce + 1).max(self.ground.now().0);
        beating.sent.insert(beating.nonce, (to, asked.agrees));
        let beat = Beat {
            to,
            nonce: beating.nonce,
            heartbeat: asked.heartbeat,
            reply: false,
        };
        self.ground.beat(view, own, beat);
    }

    /// Another node's heartbeat came, or its answer to one.
    pub(super) fn heard_beat(&mut self, heard: Heard) {
        match heard {
            Heard::Reflection(_) => {}
            Heard::Agreed { from, nonce } => self.beating.agreed(from, nonce),
            Heard::Heartbeat {
                from,
                nonce,
                heartbeat,
            } => {
                let (Some(seat), agrees) = (self.seating.seat(), self.weak.clone()) else {
                    return;
                };
                tokio::spawn(async move {
                    if seat.agrees(from.number.get(), heartbeat).await
                        && let Some(agrees) = agrees.upgrade()
                    {
                        let agreed = Input::Agreed(Beat {
                            to: from,
                            nonce,
                            heartbeat,
                            reply: true,
                        });
                        // Nobody listens any more when the node is about to stop.
                        let _ = agrees.send(agreed).await;
                    }
                });
            }
        }
    }

    /// This node's log agrees with a heartbeat.
    pub(super) fn agree(&mut self, beat: Beat) {
        if let Some(own) = self.engine.id() {
            self.ground.beat(self.engine.view(), own, beat);
        }
    }
}
