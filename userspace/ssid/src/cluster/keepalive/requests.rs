//! What is asked about supervision over the control socket.

use std::collections::{BTreeMap, BTreeSet};

use ssi_api::control::{Failure, FailureKind, Reply};
use ssi_api::service::{ServiceOutcome, ServiceRequest, ServiceText};
use ssi_clms::core::Number;
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Change, Entry};
use ssi_keepalive::config::Config;
use ssi_keepalive::core::Id;

use super::apply::Wish;
use super::lookup::{missing, processes, unknown};
use super::service::{Adoption, Deed, SERVICE, op};
use crate::cluster::join::{internal, refused};
use crate::cluster::{Cluster, Member};

impl Cluster {
    /// Does what is asked of supervision, on behalf of `user`.
    pub(crate) async fn service(
        &self,
        request: ServiceRequest,
        user: u32,
    ) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let said = said(&request);
        let result = if user == 0 || is_for_all(&request) {
            member.service(request).await
        } else {
            Err(refused(
                "what is kept alive runs as any user it says: only root may change it, and see its configuration and what it writes; `ssi service list` and `events` are for all",
            ))
        };
        if let Some(said) = said {
            match &result {
                Ok(_) => tracing::info!("user {user}: {said}"),
                Err(failure) => tracing::info!("user {user}: refused {said}: {failure}"),
            }
        }
        result
    }
}

impl Member {
    async fn service(&self, request: ServiceRequest) -> Result<Reply, Failure> {
        match request {
            ServiceRequest::Apply {
                files,
                only,
                check,
                options,
                stopped,
            } => {
                let wish = Wish {
                    files,
                    only,
                    options,
                    stopped,
                    check,
                };
                let names = self.apply_services(wish).await?;
                Ok(outcome(
                    names.into_iter().map(|name| (name, None)).collect(),
                ))
            }
            ServiceRequest::List { names } => {
                Ok(Reply::Supervised(Box::new(self.supervised(&names).await?)))
            }
            ServiceRequest::Text { names } => Ok(Reply::ServiceText(self.text(&names).await?)),
            ServiceRequest::Start { names } => self.stop(&names, false).await,
            ServiceRequest::Stop { names } => self.stop(&names, true).await,
            ServiceRequest::Restart { names, node: None } => {
                self.spread(&names, Deed::Restart).await
            }
            ServiceRequest::Restart {
                names,
                node: Some(node),
            } => self.restart(&names, node).await,
            ServiceRequest::Clear { names } => self.spread(&names, Deed::Clear).await,
            ServiceRequest::Adopt {
                name,
                instance,
                node,
                pid,
            } => {
                let id = Id::new(&name, instance);
                self.adopt(node, Adoption { id, pid }).await
            }
            ServiceRequest::Remove { names, keep } => self.remove(names, keep).await,
            ServiceRequest::Logs {
                name,
                instance,
                node,
                lines,
                after,
            } => {
                let id = Id::new(&name, instance);
                Ok(Reply::Logs(self.logs(id, node, lines, &after).await?))
            }
            ServiceRequest::Events { names } => {
                let (events, missing) = self.service_events(&names).await;
                Ok(Reply::ServiceEvents { events, missing })
            }
            ServiceRequest::Drain {
                node,
                undo,
                leaving,
            } => {
                if leaving && !undo {
                    self.drain_until_back(node).await?;
                } else {
                    self.drain_for_good(node)?;
                }
                self.drain(node, !undo).await
            }
            ServiceRequest::Quiesce { undo } => {
                self.supervision.agree(&Entry::Quiesce(!undo)).await?;
                Ok(outcome(Vec::new()))
            }
        }
    }

    async fn text(&self, names: &[String]) -> Result<ServiceText, Failure> {
        let mut config = Config::clone(&*self.agreed_config().await?);
        if !names.is_empty() {
            let only: BTreeSet<_> = processes(&config, names)?.into_iter().collect();
            config.process.retain(|p| only.contains(&*p.name));
            config.group.retain(|group| names.contains(&group.name));
        }
        let groups = config.group.iter().map(|group| group.name.clone());
        let all = config.process.iter().map(|process| process.name.clone());
        let names = all.chain(groups).collect();
        let text = config.print().map_err(|error| refused(error.to_string()))?;
        Ok(ServiceText { text, names })
    }

    /// Which instances of processes are where.
    pub(super) async fn places(
        &self,
        names: &[String],
    ) -> Result<Vec<(String, Option<u16>)>, Failure> {
        let config = self.agreed_config().await?;
        let only: BTreeSet<_> = processes(&config, names)?.into_iter().collect();
        let all = self.supervision.desk.with(|desk| desk.agreed.everywhere());
        let all = all.await.map_err(|e| internal(&e))?;
        let of = all.into_iter().filter(|(id, _)| only.contains(&id.process));
        Ok(of
            .map(|(id, owner)| (id.to_string(), owner.life().map(|life| life.node.get())))
            .collect())
    }

    async fn stop(&self, names: &[String], stopped: bool) -> Result<Reply, Failure> {
        let config = self.agreed_config().await?;
        let names_of = processes(&config, names)?;
        if stopped {
            self.rest(&config, &names_of, None).await;
        } else {
            self.wake(&config, &names_of, None).await;
        }
        let stop = Entry::Stop {
            names: names_of,
            stopped,
        };
        self.supervision.agree(&stop).await?;
        Ok(outcome(self.places(names).await?))
    }

    /// Does something with instances, on each node that has any.
    async fn spread(
        &self,
        names: &[String],
        deed: impl Fn(Vec<std::sync::Arc<str>>) -> Deed,
    ) -> Result<Reply, Failure> {
        let config = self.agreed_config().await?;
        let all = processes(&config, names)?;
        let instances = self.places(names).await?;
        let nodes: BTreeSet<u16> = instances.iter().filter_map(|(_, node)| *node).collect();
        let desk = &self.supervision.desk;
        let said: BTreeMap<u16, Result<Result<(), String>, String>> = self
            .ask_each(
                nodes.into_iter().collect(),
                op::DO,
                |_| deed(all.clone()),
                |deed| async move {
                    let done = desk.with(move |desk| desk.order(deed.into())).await;
                    done.map_err(|error| error.to_string())
                },
            )
            .await;
        let view = self.handle.views().borrow().clone();
        let silent = said.into_iter().filter_map(|(number, said)| {
            let why = said.and_then(|done| done).err()?;
            Some(missing(&view, number, why))
        });
        Ok(Reply::ServiceOutcome(ServiceOutcome {
            missing: silent.collect(),
            instances,
        }))
    }

    async fn adopt(&self, node: Option<u16>, adoption: Adoption) -> Result<Reply, Failure> {
        let here = self.kept().number;
        let node = node.unwrap_or(here);
        let name = adoption.id.to_string();
        if node == here {
            self.supervision.adopt(adoption).await?;
        } else {
            let asked = self.ask(&SERVICE, node, op::ADOPT, &adoption).await;
            let said: Result<(), String> = asked
                .map_err(|error| refused(format!("node {node} {}", SERVICE.in_words(&error))))?;
            said.map_err(|why| refused(format!("node {node}: {why}")))?;
        }
        Ok(outcome(vec![(name, Some(node))]))
    }

    async fn remove(&self, names: Vec<String>, keep: bool) -> Result<Reply, Failure> {
        let config = self.agreed_config().await?;
        for name in &names {
            let group = config.group.iter().any(|group| group.name == *name);
            if !group && config.process(name).is_none() {
                return Err(unknown(&config, name));
            }
            if !group
                && let Some(group) = config.group_of(name)
                && !names.contains(&group.name)
            {
                return Err(refused(format!(
                    "{name} belongs to the group {}; `ssi service remove {}` removes both",
                    group.name, group.name
                )));
            }
        }
        let places = self.places(&names).await?;
        if !keep {
            self.rest(&config, &processes(&config, &names)?, None).await;
        }
        let change = Change {
            remove: names,
            abandon: keep,
            ..Change::default()
        };
        self.supervision.agree(&Entry::Change(change)).await?;
        Ok(outcome(places))
    }

    async fn drain(&self, number: u16, drained: bool) -> Result<Reply, Failure> {
        let view = self.handle.views().borrow().clone();
        let known = Number::new(number).filter(|number| view.members.contains_key(number));
        let node = known.and_then(|number| Node::new(number.get()));
        let node = node.ok_or_else(|| {
            let why = format!("there is no node {number}; see: ssi cluster");
            Failure::new(FailureKind::Refused, why)
        })?;
        let entry = Entry::Drain { node, drained };
        self.supervision.agree(&entry).await?;
        let held = self.supervision.desk.with(move |desk| {
            let slots = desk.agreed.held_by(node);
            let ids = slots.flat_map(|slot| desk.agreed.ids(slot));
            ids.map(|id| id.to_string()).collect::<Vec<_>>()
        });
        let held = held.await.map_err(|e| internal(&e))?;
        let instances = held.into_iter().map(|id| (id, Some(number)));
        Ok(outcome(instances.collect()))
    }
}

/// Whether everybody may ask it who may ask anything: it changes nothing, and tells no more
/// than a list of processes does.
fn is_for_all(request: &ServiceRequest) -> bool {
    matches!(
        request,
        ServiceRequest::List { .. } | ServiceRequest::Events { .. }
    )
}

fn outcome(instances: Vec<(String, Option<u16>)>) -> Reply {
    Reply::ServiceOutcome(ServiceOutcome {
        instances,
        missing: Vec::new(),
    })
}

/// A request in a word, for the log; none if it changes nothing.
fn said(request: &ServiceRequest) -> Option<String> {
    Some(match request {
        ServiceRequest::Apply { check: true, .. }
        | ServiceRequest::List { .. }
        | ServiceRequest::Text { .. }
        | ServiceRequest::Logs { .. }
        | ServiceRequest::Events { .. } => return None,
        ServiceRequest::Apply { files, .. } => {
            let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
            format!("apply {}", names.join(" "))
        }
        ServiceRequest::Start { names } => format!("start {}", names.join(" ")),
        ServiceRequest::Stop { names } => format!("stop {}", names.join(" ")),
        ServiceRequest::Restart { names, node } => match node {
            Some(node) => format!("restart {} on node {node}", names.join(" ")),
            None => format!("restart {}", names.join(" ")),
        },
        ServiceRequest::Clear { names } => format!("clear {}", names.join(" ")),
        ServiceRequest::Remove { names, .. } => format!("remove {}", names.join(" ")),
        ServiceRequest::Adopt {
            name, node, pid, ..
        } => format!("adopt process {pid} of node {node:?} as {name}"),
        ServiceRequest::Drain { node, undo, .. } => format!("drain node {node}, undo {undo}"),
        ServiceRequest::Quiesce { undo } => format!("quiesce, undo {undo}"),
    })
}
