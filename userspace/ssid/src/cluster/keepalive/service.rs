//! What nodes ask each other about what they keep alive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssi_api::control::Failure as Refused;
use ssi_ics::core::Failure;
use ssi_ics::runner::{Ics, Register, Request};
use ssi_keepalive::Node;
use ssi_keepalive::core::{Id, Order};
use ssi_keepalive::readiness::Told;

use super::Supervision;
use super::resting::{Rest, settled};
use crate::cluster::Member;
use crate::cluster::service::{Service, other, read, reply};
use crate::keepalive::{Keepalive, Piece};

/// The service, and what it is asked for.
pub(super) const SERVICE: Service = Service {
    name: "keepalive",
    patience: Duration::from_secs(2),
    lacked: "keeps nothing alive",
};
pub(super) mod op {
    pub(in super::super) const LIST: u16 = 1;
    pub(in super::super) const DO: u16 = 2;
    pub(in super::super) const LOGS: u16 = 3;
    pub(in super::super) const EVENTS: u16 = 4;
    pub(in super::super) const READY: u16 = 5;
    pub(in super::super) const ADOPT: u16 = 6;
    pub(in super::super) const REST: u16 = 7;
    pub(in super::super) const SETTLED: u16 = 8;
}

/// What is to be done with instances where they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Deed {
    /// They are ended and started.
    Restart(Vec<Arc<str>>),
    /// Their errors are forgotten, and what is down is started.
    Clear(Vec<Arc<str>>),
}

impl From<Deed> for Order {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Restart(names) => Self::Restart(names),
            Deed::Clear(names) => Self::Clear(names),
        }
    }
}

/// Which part of which log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) id: Id,
    pub(super) after: Option<u64>,
    pub(super) lines: u32,
}

/// A process that is to be adopted where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Adoption {
    pub(super) id: Id,
    pub(super) pid: u32,
}

/// Answers what other nodes ask.
pub(in super::super) fn serve(ics: &Ics, supervision: &Arc<Supervision>) -> Result<(), Register> {
    let supervision = supervision.clone();
    ics.register(SERVICE.name, move |request: Request| {
        let supervision = supervision.clone();
        async move {
            let desk = &supervision.desk;
            match request.op {
                op::LIST => reply(&desk.with(|desk| desk.list()).await.map_err(other)?),
                op::DO => {
                    let deed: Deed = read(&request)?;
                    // This ssid may have stood still.
                    if request.cancelled.is_set() {
                        return Err(Failure::Cancelled);
                    }
                    let done = desk.with(move |desk| desk.order(deed.into())).await;
                    reply(&done.map_err(other)?)
                }
                op::LOGS => reply(&piece(desk, read(&request)?).await),
                op::EVENTS => {
                    let names: Vec<String> = read(&request)?;
                    let events = desk.with(move |desk| desk.events(&names)).await;
                    reply(&events.map_err(other)?)
                }
                op::READY => {
                    let told: Told = read(&request)?;
                    let from = Node::new(request.from).ok_or_else(|| other("no node"))?;
                    let heard = desk.with(move |desk| desk.hear(from, told)).await;
                    reply(&heard.map_err(other)?)
                }
                op::ADOPT => {
                    let adoption: Adoption = read(&request)?;
                    let done: Result<(), Refused> = supervision.adopt(adoption).await;
                    reply(&done.map_err(|failure| failure.message))
                }
                op::REST => {
                    let rest: Rest = read(&request)?;
                    let done = desk.with(move |desk| rest.at(desk)).await;
                    reply(&done.map_err(other)?)
                }
                op::SETTLED => reply(&settled(desk, read(&request)?).await.map_err(other)?),
                unknown => Err(other(format!("{} knows no {unknown}", SERVICE.name))),
            }
        }
    })
}

/// A piece of a log of this node; none if there is no such log.
pub(super) async fn piece(desk: &Keepalive, part: Part) -> Result<Option<Piece>, String> {
    let id = part.id.clone();
    let path = desk.with(move |desk| desk.log(&id)).await;
    let Some(path) = path.map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let read = move || Piece::read(&path, part.after, part.lines);
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|error| error.to_string())?;
    read.map_err(|error| error.to_string())
}

impl Member {
    /// Asks several nodes at the same time, this one by `here`; what each said, or why it
    /// didn't, in words that follow its name.
    pub(super) async fn ask_each<Q, A, F>(
        &self,
        nodes: Vec<u16>,
        op: u16,
        question: impl Fn(u16) -> Q,
        here: impl Fn(Q) -> F,
    ) -> BTreeMap<u16, Result<A, String>>
    where
        Q: Serialize,
        A: for<'a> Deserialize<'a> + Send + 'static,
        F: Future<Output = Result<A, String>>,
    {
        let own = self.kept().number;
        let asked = nodes.into_iter().map(|number| {
            let (question, here) = (question(number), &here);
            async move {
                let said = if number == own {
                    here(question).await
                } else {
                    let said = self.ask(&SERVICE, number, op, &question).await;
                    said.map_err(|error| SERVICE.in_words(&error))
                };
                (number, said)
            }
        });
        futures::future::join_all(asked).await.into_iter().collect()
    }
}
