//! The processes of all nodes: what nodes ask each other about them, and signals that one
//! sends on behalf of another's user.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssi_api::control::{Failure, Reply};
use ssi_api::process::{ClusterProcesses, ProcessRequest, ProcessesView, Signalled, Target};
use ssi_clms::core::{Number, State, View};
use ssi_ics::core::CallError;
use ssi_ics::runner::{Ics, Register, Request};

use super::{Cluster, Member, gather};
use crate::processes::{Order, Page, Processes, Wanted};

/// The service, and what it is asked for.
const SERVICE: &str = "vproc";
mod op {
    pub(super) const LIST: u16 = 1;
    pub(super) const SIGNAL: u16 = 2;
}

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

impl Cluster {
    /// Answers what is asked about processes, on behalf of `user`.
    pub(crate) async fn processes(
        &self,
        request: ProcessRequest,
        user: u32,
    ) -> Result<Reply, Failure> {
        match (request, self.member()) {
            (ProcessRequest::List { args, nodes: None }, None) => {
                Ok(Reply::Processes(Box::new(self.processes.list(args).await?)))
            }
            (ProcessRequest::List { args, nodes }, _) => {
                let member = self.in_cluster()?;
                let found = member.list(&self.processes, args, nodes).await;
                Ok(Reply::ClusterProcesses(Box::new(found)))
            }
            (ProcessRequest::Signal { signal, targets }, member) => {
                let sent = self.signal(member.as_deref(), signal, &targets, user);
                Ok(Reply::Signalled(sent.await?))
            }
        }
    }

    /// Has each node send its part, all at the same time.
    async fn signal(
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
    /// The processes of several nodes, asked at the same time.
    async fn list(
        &self,
        processes: &Processes,
        args: bool,
        nodes: Option<Vec<u16>>,
    ) -> ClusterProcesses {
        let view = self.handle.views().borrow().clone();
        let here = self.kept().number;
        let answers = asked(&view, here, nodes).into_iter().map(|number| {
            let view = &view;
            async move {
                let said = if number == here {
                    processes.list(args).await.map_err(|e| e.to_string())
                } else {
                    match up(view, number) {
                        Ok(()) => {
                            let said = self.processes_of(number, args).await;
                            said.map_err(|error| in_words(&error))
                        }
                        Err(why) => Err(why),
                    }
                };
                gather::Answer::new(number, name(view, number), said).await
            }
        });
        gather::gather(here, futures::future::join_all(answers).await)
    }

    /// All processes of another node.
    async fn processes_of(&self, node: u16, args: bool) -> Result<ProcessesView, CallError> {
        let mut all: Option<ProcessesView> = None;
        let mut after = Some(0);
        while let Some(last) = after {
            let wanted = Wanted { after: last, args };
            let page = self.ask(node, op::LIST, &wanted);
            let page: Page = page.await?;
            after = page.next();
            match &mut all {
                Some(all) => all.processes.extend(page.view.processes),
                None => all = Some(page.view),
            }
        }
        all.ok_or(CallError::Protocol("no page"))
    }

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

    async fn ask<Q: Serialize, A: for<'a> Deserialize<'a> + Send + 'static>(
        &self,
        node: u16,
        op: u16,
        question: &Q,
    ) -> Result<A, CallError> {
        let strange = CallError::Protocol("it is none to this question");
        let body = postcard::to_stdvec(question).map_err(|_| strange.clone())?;
        let calling = self.ics.call(node, SERVICE, op, Bytes::from(body));
        let answer = calling.deadline(PATIENCE).await?;
        // It may be megabytes.
        let read = tokio::task::spawn_blocking(move || postcard::from_bytes(&answer));
        read.await.ok().and_then(Result::ok).ok_or(strange)
    }
}

/// Whether a node is there to be asked, or why not.
fn up(view: &View, node: u16) -> Result<(), String> {
    let member = Number::new(node).and_then(|number| view.members.get(&number));
    match member.map(|member| member.state) {
        Some(State::Up) => Ok(()),
        Some(other) => Err(format!("is {}", super::record::state(other))),
        None => Err("is not of this cluster".to_owned()),
    }
}

/// Why a node did not answer.
fn in_words(error: &CallError) -> String {
    match error {
        CallError::Deadline => format!("did not answer within {} s", PATIENCE.as_secs()),
        CallError::NoService => "runs an ssid that can't tell its processes".to_owned(),
        other => format!("did not answer: {other}"),
    }
}

/// Answers what other nodes ask.
pub(super) fn serve(ics: &Ics, processes: &Processes) -> Result<(), Register> {
    let processes = processes.clone();
    ics.register(SERVICE, move |request: Request| {
        let processes = processes.clone();
        async move {
            match request.op {
                op::LIST => reply(&processes.page(read(&request)?).await.map_err(other)?),
                op::SIGNAL => {
                    let order: Order = read(&request)?;
                    // This ssid may have stood still.
                    if request.cancelled.is_set() {
                        return Err(ssi_ics::core::Failure::Cancelled);
                    }
                    tracing::debug!("node {} asks to signal: {order:?}", request.from);
                    reply(&processes.signal(order).await.map_err(other)?)
                }
                unknown => Err(other(format!("{SERVICE} knows no {unknown}"))),
            }
        }
    })
}

fn read<T: for<'a> Deserialize<'a>>(request: &Request) -> Result<T, ssi_ics::core::Failure> {
    postcard::from_bytes(&request.body).map_err(other)
}

fn reply<T: Serialize>(answer: &T) -> Result<Bytes, ssi_ics::core::Failure> {
    postcard::to_stdvec(answer).map(Bytes::from).map_err(other)
}

fn other(why: impl ToString) -> ssi_ics::core::Failure {
    ssi_ics::core::Failure::Other(why.to_string())
}

/// Which nodes are asked: those that were said, or all that are UP and this one.
fn asked(view: &View, here: u16, nodes: Option<Vec<u16>>) -> Vec<u16> {
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
fn name(view: &View, node: u16) -> String {
    let member = Number::new(node).and_then(|number| view.members.get(&number));
    member.map_or_else(String::new, |member| member.candidate.name.clone())
}
