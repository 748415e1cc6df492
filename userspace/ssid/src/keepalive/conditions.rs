//! What instances are good for: told to other nodes, and heard of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ssi_keepalive::Node;
use ssi_keepalive::balance::Known;
use ssi_keepalive::core::{Condition, Event, Id};
use ssi_keepalive::readiness::Told;

use super::desk::Desk;

/// What is good for what on this node, and what other nodes are to be told of it.
#[derive(Default)]
pub(super) struct Here {
    conditions: BTreeMap<Id, Condition>,
    /// Changes that are not told yet.
    changed: BTreeMap<Id, Option<Condition>>,
    /// Nodes that know nothing of this one.
    unknowing: BTreeSet<Node>,
}

/// What other nodes are to be told.
pub(crate) struct News {
    /// What has changed.
    pub(crate) changed: BTreeMap<Id, Option<Condition>>,
    /// Who is to be told everything.
    pub(crate) unknowing: BTreeSet<Node>,
}

impl Here {
    pub(super) fn begin(&mut self, conditions: impl Iterator<Item = (Id, Condition)>) {
        self.conditions = conditions.collect();
    }

    pub(super) fn note(&mut self, id: Id, condition: Option<Condition>) {
        match condition {
            Some(condition) => self.conditions.insert(id.clone(), condition),
            None => self.conditions.remove(&id),
        };
        self.changed.insert(id, condition);
    }
}

impl Desk {
    /// What is to be told since it was last asked.
    pub(crate) fn news(&mut self) -> News {
        News {
            changed: std::mem::take(&mut self.here.changed),
            unknowing: std::mem::take(&mut self.here.unknowing),
        }
    }

    /// All that is good for anything here.
    pub(crate) fn conditions(&self) -> Vec<(Id, Condition)> {
        let all = self.here.conditions.iter();
        all.map(|(id, condition)| (id.clone(), *condition))
            .collect()
    }

    /// Another node tells what is good for what there; whether it was understood.
    pub(crate) fn hear(&mut self, node: Node, told: Told) -> bool {
        let listener = self.elsewhere.entry(node).or_default();
        let outcome = listener.hear(told);
        if let Ok(local) = &mut self.local {
            for process in &outcome.changed {
                local.tell(Event::Elsewhere {
                    process: process.clone(),
                    node,
                    ready: listener.is_ready(process),
                });
            }
        }
        if outcome.is_new && outcome.understood {
            self.here.unknowing.insert(node);
            self.said.news.send_modify(|count| *count += 1);
            // What it said before may have been more.
            self.said.balance.send_modify(|count| *count += 1);
        }
        if !outcome.changed.is_empty() {
            self.conditions_changed(&outcome.changed);
        }
        outcome.understood
    }

    /// What is known of an instance on a node.
    pub(super) fn known(&self, node: Node, id: &Id) -> Known {
        if node.get() == self.number {
            return Known::Good(self.here.conditions.get(id).copied());
        }
        let heard = self.elsewhere.get(&node).filter(|heard| heard.knows());
        heard.map_or(Known::Unknown, |heard| Known::Good(heard.condition(id)))
    }

    /// Some process is good for something else somewhere.
    pub(super) fn conditions_changed(&self, processes: &BTreeSet<Arc<str>>) {
        if self.moving.waits_for_any() {
            self.is_due();
        }
        let config = &self.agreed.config;
        let balanced = |name: &Arc<str>| {
            let process = config.process(name);
            process.is_some_and(|process| !process.balance.is_empty())
        };
        if processes.iter().any(balanced) {
            self.said.balance.send_modify(|count| *count += 1);
        }
    }
}
