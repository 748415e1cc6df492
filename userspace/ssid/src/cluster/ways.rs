//! Membership's ways to other nodes: internode communication for members, doors for those
//! who are none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use ssi_clms::core::message::Message;
use ssi_clms::core::{NodeId, Number, View};
use ssi_clms::door::{self, Caller, Door};
use ssi_clms::log::{Voter, WITNESS};
use ssi_clms::runner::{Handle, Messenger};
use ssi_ics::core::{Failure, Priority};
use ssi_ics::runner::{Ics, PORT, PeerInfo, Request};

use super::home::Home;

/// The service by which nodes speak about membership, and what it is asked for.
const SERVICE: &str = "clms";
mod op {
    pub(super) const MESSAGE: u16 = 1;
    pub(super) const LOG: u16 = 2;
}

/// The ways. Clones are the same.
#[derive(Clone)]
pub(crate) struct Ways(Arc<Inner>);

struct Inner {
    ics: Ics,
    caller: Caller,
    door: OnceLock<Door<Home>>,
    view: RwLock<Arc<View>>,
    /// Voters that are asked at their doors.
    by_door: Mutex<BTreeSet<Voter>>,
    /// What lets this node in the first time.
    token: Option<String>,
}

impl Ways {
    pub(super) fn new(ics: Ics, caller: Caller, token: Option<String>) -> Self {
        Self(Arc::new(Inner {
            ics,
            caller,
            door: OnceLock::new(),
            view: RwLock::default(),
            by_door: Mutex::default(),
            token,
        }))
    }

    /// The door is open: those who wait there are told what is for them.
    pub(super) fn open(&self, door: Door<Home>) {
        // It is opened once.
        let _ = self.0.door.set(door);
    }

    async fn ask_member(&self, to: Voter, question: Bytes, within: Duration) -> Option<Bytes> {
        let calling = self.0.ics.call(to, SERVICE, op::LOG, question);
        let calling = calling.priority(Priority::HIGHEST).deadline(within);
        calling.send().await.ok()?.wait().await.ok()
    }

    fn view(&self) -> Arc<View> {
        let view = self.0.view.read();
        view.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Messenger for Ways {
    fn send(&self, to: NodeId, message: Bytes) {
        let view = self.view();
        if view.has(to) {
            let ics = &self.0.ics;
            let calling = ics.call(to.number.get(), SERVICE, op::MESSAGE, message);
            tokio::spawn(calling.priority(Priority::HIGHEST).no_wait().one_way());
            return;
        }
        // One who is out, and asks at the door whether he is.
        let known = view.members.get(&to.number);
        if let (Some(known), Some(door)) = (known, self.0.door.get())
            && let Ok(message) = postcard::from_bytes::<Message>(&message)
        {
            door.tell(&known.candidate.key, &message);
        }
    }

    async fn ask_log(&self, to: Voter, question: Bytes, within: Duration) -> Option<Bytes> {
        let at = door_of(&self.view(), to);
        let by_door = to == WITNESS || lock(&self.0.by_door).contains(&to);
        let answer = if by_door {
            let caller = &self.0.caller;
            let said = caller.ask_log(at?, question.to_vec(), within).await;
            said.map(Bytes::from)
        } else {
            self.ask_member(to, question, within).await
        };
        // A voter that is no member here, or in whose view this node is none, is asked at its
        // door; whichever way brings no answer, the other is tried next.
        if answer.is_none() && to != WITNESS {
            let mut ways = lock(&self.0.by_door);
            if !ways.remove(&to) {
                ways.insert(to);
            }
        }
        answer
    }

    fn knock(&self, at: IpAddr, message: Bytes) {
        let token = self.0.token.clone();
        self.0.caller.knock(at, token, message.to_vec());
    }

    fn members(&self, view: &View, own: Option<NodeId>) {
        let view = Arc::new(view.clone());
        *self.0.view.write().unwrap_or_else(PoisonError::into_inner) = view.clone();
        self.0.ics.peers(peers(&view, own));
        if let Some(door) = self.0.door.get() {
            door.installed(&view);
        }
    }
}

/// Where a voter's log is asked by those whom its kernel doesn't let in.
fn door_of(view: &View, voter: Voter) -> Option<SocketAddr> {
    if voter == WITNESS {
        let seated = view.witness.as_ref()?;
        return seated.witness.addresses.first().copied();
    }
    let known = view.members.get(&Number::new(voter)?)?;
    let address = known.candidate.addresses.first()?;
    Some(SocketAddr::new(*address, door::PORT))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What internode communication takes from the view.
fn peers(view: &View, own: Option<NodeId>) -> ssi_ics::runner::View {
    let mut peers = BTreeMap::new();
    // Who is no member talks to nobody by this way.
    if let Some(own) = own {
        for member in view.present().filter(|member| member.id != own) {
            if let Some(address) = member.candidate.addresses.first() {
                let info = PeerInfo {
                    address: SocketAddr::new(*address, PORT),
                    incarnation: member.id.incarnation,
                    fingerprint: member.candidate.key,
                };
                peers.insert(member.id.number.get(), info);
            }
        }
    }
    ssi_ics::runner::View {
        epoch: view.epoch,
        incarnation: own.map_or(0, |id| id.incarnation),
        peers,
    }
}

/// Serves what other members ask membership for.
pub(super) fn serve(ics: &Ics, handle: &Handle) -> Result<(), ssi_ics::runner::Register> {
    let handle = handle.clone();
    ics.register(SERVICE, move |request: Request| {
        let handle = handle.clone();
        async move {
            let said = match request.op {
                op::LOG => handle.log(&request.body).await,
                op::MESSAGE => {
                    let from = sender(&handle, request.from);
                    let brought = handle.message(from, &request.body).await;
                    brought.map(|()| Bytes::new())
                }
                other => return Err(Failure::Other(format!("membership knows no {other}"))),
            };
            said.map_err(|error| Failure::Other(error.to_string()))
        }
    })
}

/// Which life a peer is: internode communication lets no other in than the view's.
fn sender(handle: &Handle, from: u16) -> Option<NodeId> {
    let view = handle.views().borrow().clone();
    Number::new(from).and_then(|number| view.current(number))
}
