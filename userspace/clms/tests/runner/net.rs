//! Ways between nodes that run in one process.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ssi_clms::core::{NodeId, Time, View};
use ssi_clms::log::{Voter, WITNESS};
use ssi_clms::runner::{Handle, Heard, Messenger, Witness};
use tokio::sync::mpsc;

/// What the packet path of a node would know, and who runs there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) handle: Option<Handle>,
    pub(crate) view: View,
    pub(crate) own: Option<NodeId>,
    pub(crate) lease: Time,
    /// Where datagrams for the node go.
    pub(crate) datagrams: Option<mpsc::UnboundedSender<Heard>>,
    /// How many of its heartbeats others have agreed with.
    pub(crate) agreed: usize,
}

/// All nodes by number, and the witness.
#[derive(Clone, Debug, Default)]
pub(crate) struct Net {
    places: Arc<Mutex<HashMap<u16, Place>>>,
    /// No datagram arrives.
    pub(crate) deaf: Arc<AtomicBool>,
    witness: Arc<Mutex<Option<Arc<Witness>>>>,
}

impl Net {
    pub(crate) fn places(&self) -> MutexGuard<'_, HashMap<u16, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seat_witness(&self, witness: Arc<Witness>) {
        *self.witness.lock().unwrap_or_else(PoisonError::into_inner) = Some(witness);
    }

    fn handle(&self, number: u16) -> Option<Handle> {
        self.places().get(&number)?.handle.clone()
    }
}

/// The address of a node.
pub(crate) fn address(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    [10, 0, high, low].into()
}

/// One node's way to the others, as long as it is there.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) net: Net,
    pub(crate) me: u16,
}

impl Messenger for Way {
    fn send(&self, to: NodeId, message: Bytes) {
        let places = self.net.places();
        let own = places.get(&self.me).and_then(|place| place.own);
        let there = places.get(&to.number.get());
        let known = own.filter(|own| there.is_some_and(|there| there.view.has(*own)));
        let handle = there.and_then(|there| there.handle.clone());
        drop(places);
        if let (Some(own), Some(handle)) = (known, handle) {
            // It may stop before it reads this.
            tokio::spawn(async move { handle.message(Some(own), &message).await });
        }
    }

    async fn ask_log(&self, to: Voter, question: Bytes, within: Duration) -> Option<Bytes> {
        let answer = async {
            if to == WITNESS {
                let witness = self.net.witness.lock();
                let witness = witness.unwrap_or_else(PoisonError::into_inner).clone()?;
                witness.answer(&question).await.ok()
            } else {
                self.net.handle(to)?.log(&question).await.ok()
            }
        };
        tokio::time::timeout(within, answer).await.ok().flatten()
    }

    fn knock(&self, at: IpAddr, message: Bytes) {
        let places = self.net.places();
        let there = places.iter().find(|(number, _)| address(**number) == at);
        if let Some(handle) = there.and_then(|(_, there)| there.handle.clone()) {
            tokio::spawn(async move { handle.message(None, &message).await });
        }
    }

    fn members(&self, _: &View, _: Option<NodeId>) {
        // `Net` goes by what the ground is told.
    }
}
