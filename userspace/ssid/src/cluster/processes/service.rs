//! What nodes ask each other about processes: the service, and how it is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssi_clms::core::{Number, State, View};
use ssi_ics::core::Failure;
use ssi_ics::runner::{Ics, Register, Request};

use super::super::service::{Service, other, read, reply};
use super::super::{Member, record};
use super::forwarded;
use crate::data_path::DataPath;
use crate::processes::{Glance, Order, Processes, Renice, SessionOrder, Sweep};

/// The service, and what it is asked for.
pub(super) const SERVICE: Service = Service {
    name: "vproc",
    patience: Duration::from_secs(1),
    lacked: "can't tell its processes",
};
/// The same, where thousands of processes are asked for of a node that has others to wait for.
const LISTS: Service = Service {
    patience: Duration::from_secs(2),
    ..SERVICE
};
pub(super) mod op {
    pub(in super::super) const LIST: u16 = 1;
    pub(in super::super) const SIGNAL: u16 = 2;
    pub(in super::super) const LOAD: u16 = 3;
    pub(in super::super) const NICE: u16 = 4;
    pub(in super::super) const PIDS: u16 = 5;
    pub(in super::super) const LOOK: u16 = 6;
    pub(in super::super) const SWEEP: u16 = 7;
    pub(in super::super) const FORWARDED: u16 = 8;
    pub(in super::super) const SESSIONS: u16 = 9;
    pub(in super::super) const WAITS: u16 = 10;
}

impl Member {
    /// Asks another node, if it is there to be asked; else says why it didn't answer, in words
    /// that follow its name.
    pub(super) async fn ask_up<Q: Serialize, A: for<'a> Deserialize<'a> + Send + 'static>(
        &self,
        node: u16,
        op: u16,
        question: &Q,
    ) -> Result<A, String> {
        up(&self.handle.views().borrow(), node)?;
        let service = if op == op::LIST { LISTS } else { SERVICE };
        let said = self.ask(&service, node, op, question).await;
        said.map_err(|error| service.in_words(&error))
    }
}

/// Whether a node is there to be asked, or why not.
pub(super) fn up(view: &View, node: u16) -> Result<(), String> {
    let member = Number::new(node).and_then(|number| view.members.get(&number));
    match member.map(|member| member.state) {
        Some(State::Up) => Ok(()),
        Some(other) => Err(format!("is {}", record::state(other))),
        None => Err("is not of this cluster".to_owned()),
    }
}

/// Answers what other nodes ask.
pub(in super::super) fn serve(
    ics: &Ics,
    processes: &Processes,
    data_path: &Arc<Mutex<DataPath>>,
) -> Result<(), Register> {
    let (processes, data_path) = (processes.clone(), data_path.clone());
    ics.register(SERVICE.name, move |request: Request| {
        let (processes, data_path) = (processes.clone(), data_path.clone());
        async move {
            match request.op {
                op::LIST => reply(&processes.page(read(&request)?).await.map_err(other)?),
                op::PIDS => reply(&processes.pids().await.map_err(other)?),
                op::LOOK => {
                    let glance: Glance = read(&request)?;
                    reply(&processes.look(glance).await.map_err(other)?)
                }
                op::SWEEP => {
                    let sweep: Sweep = read(&request)?;
                    reply(&processes.sweep(sweep).await.map_err(other)?)
                }
                op::FORWARDED => reply(&forwarded::here(&data_path).await.map_err(other)?),
                op::LOAD => reply(&processes.busy().map_err(other)?),
                op::WAITS => reply(&processes.waits().map_err(other)?),
                op::SIGNAL => {
                    let order: Order = read(&request)?;
                    // This ssid may have stood still.
                    if request.cancelled.is_set() {
                        return Err(Failure::Cancelled);
                    }
                    tracing::debug!("node {} asks to signal: {order:?}", request.from);
                    reply(&processes.signal(order).await.map_err(other)?)
                }
                op::SESSIONS => {
                    let order: SessionOrder = read(&request)?;
                    if request.cancelled.is_set() {
                        return Err(Failure::Cancelled);
                    }
                    let from = request.from;
                    tracing::debug!("node {from} asks to signal sessions: {order:?}");
                    reply(&processes.signal_sessions(order).await.map_err(other)?)
                }
                op::NICE => {
                    let order: Renice = read(&request)?;
                    if request.cancelled.is_set() {
                        return Err(Failure::Cancelled);
                    }
                    reply(&processes.renice(order).await.map_err(other)?)
                }
                unknown => Err(other(format!("{} knows no {unknown}", SERVICE.name))),
            }
        }
    })
}

/// Which nodes are asked: those that were said, or all that are UP and this one.
pub(super) fn asked(view: &View, here: u16, nodes: Option<Vec<u16>>) -> Vec<u16> {
    let mut nodes = nodes.unwrap_or_else(|| {
        let up = view.present().filter(|member| member.state == State::Up);
        let up = up.map(|member| member.id.number.get());
        up.chain([here]).collect()
    });
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// A node's name, as far as the view has one.
pub(super) fn name(view: &View, node: u16) -> String {
    let member = Number::new(node).and_then(|number| view.members.get(&number));
    member.map_or_else(String::new, |member| member.candidate.name.clone())
}
