//! How everything is, on all nodes.

use std::collections::BTreeSet;

use ssi_api::control::Failure;
use ssi_api::service::{InstanceView, ServiceEvent, ServicesView};
use ssi_keepalive::core::Id;

use super::lookup::{missing, processes, up};
use super::service::op;
use crate::cluster::Member;
use crate::cluster::join::internal;

impl Member {
    /// How everything is, or these processes and groups.
    pub(super) async fn supervised(&self, names: &[String]) -> Result<ServicesView, Failure> {
        let desk = &self.supervision.desk;
        let known = desk.with(|desk| {
            let drained = desk.agreed.drained.iter().map(|node| node.get()).collect();
            let config = desk.agreed.config.clone();
            (desk.wanted(), config, drained, desk.agreed.quiesced)
        });
        let (mut wanted, config, drained, quiesced) = known.await.map_err(|e| internal(&e))?;
        let only: BTreeSet<_> = processes(&config, names)?.into_iter().collect();
        let view = self.handle.views().borrow().clone();
        let said = self
            .ask_each(
                up(&view),
                op::LIST,
                |_| (),
                |()| async {
                    let list = desk.with(|desk| desk.list()).await;
                    list.map_err(|error| error.to_string())
                },
            )
            .await;
        let mut shown = ServicesView {
            here: self.kept().number,
            drained,
            quiesced,
            ..ServicesView::default()
        };
        let mut others: Vec<InstanceView> = Vec::new();
        for (number, said) in said {
            match said {
                Ok(list) => {
                    for instance in list {
                        let id = Id::new(&instance.name, instance.instance);
                        match wanted.get_mut(&id) {
                            Some(wanted) if wanted.node.is_none_or(|node| node == number) => {
                                *wanted = instance;
                            }
                            // It is being ended there, or its configuration has gone.
                            _ => others.push(instance),
                        }
                    }
                }
                Err(why) => shown.missing.push(missing(&view, number, why)),
            }
        }
        shown.instances = wanted.into_values().chain(others).collect();
        for instance in &mut shown.instances {
            if instance.state == "unknown" {
                instance.why = unknown(&shown.missing, instance.node);
            }
        }
        if !names.is_empty() {
            let of = |i: &InstanceView| only.contains(&*i.name);
            shown.instances.retain(of);
        }
        let key = |i: &InstanceView| (i.name.clone(), i.instance, i.node);
        shown.instances.sort_by_key(key);
        Ok(shown)
    }

    /// The last changes of state on all nodes.
    pub(super) async fn service_events(
        &self,
        names: &[String],
    ) -> (Vec<ServiceEvent>, Vec<ssi_api::process::Missing>) {
        let desk = &self.supervision.desk;
        let view = self.handle.views().borrow().clone();
        let said = self
            .ask_each(
                up(&view),
                op::EVENTS,
                |_| names.to_vec(),
                |names: Vec<String>| async move {
                    let events = desk.with(move |desk| desk.events(&names)).await;
                    events.map_err(|error| error.to_string())
                },
            )
            .await;
        let (mut events, mut silent) = (Vec::new(), Vec::new());
        for (number, said) in said {
            match said {
                Ok(said) => events.extend(said),
                Err(why) => silent.push(missing(&view, number, why)),
            }
        }
        events.sort_by_key(|event: &ServiceEvent| (event.at, event.node));
        (events, silent)
    }
}

fn unknown(silent: &[ssi_api::process::Missing], node: Option<u16>) -> String {
    let Some(node) = node else {
        return String::new();
    };
    match silent.iter().find(|missing| missing.number == node) {
        Some(missing) => format!("node {node} {}", missing.why),
        None => format!(
            "node {node} is not UP, or has not taken it yet; who has it next is decided when node {node} runs nothing for certain"
        ),
    }
}
