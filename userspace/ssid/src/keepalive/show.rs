//! What is at the desk, for operators.

use std::collections::BTreeMap;

use ssi_api::service::{InstanceView, ServiceEvent};
use ssi_keepalive::config::Config;
use ssi_keepalive::core::{Id, State, Status};
use ssi_keepalive::placement::{self, Held, Owner};

use super::desk::Desk;

/// Of what no node has.
const NOWHERE: &str = "nowhere";
/// Of what a node has that doesn't say how it is.
const UNKNOWN: &str = "unknown";

impl Desk {
    /// How everything is that this node has.
    pub(crate) fn list(&self) -> Vec<InstanceView> {
        let local = match &self.local {
            Ok(local) => local,
            Err(why) => return self.unable_to(why),
        };
        let now = ssi_keepalive::runner::now();
        let all = local.supervisor().list(now);
        let view = |status: Status| {
            let record = &status.record;
            let alive = status.main.is_some();
            let since = record.started.filter(|_| alive).map(|at| now.since(at));
            let mut view = self.view_of(&status.id);
            view.state = status.state.to_string();
            view.node = Some(self.number);
            view.pid = status.main.map(|main| main.pid);
            view.since = since.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
            view.errors = record.total;
            view.last = record.last.as_ref().map(ToString::to_string);
            view.why = status.why;
            view
        };
        all.map(view).collect()
    }

    /// What this node was given and can't keep alive.
    fn unable_to(&self, why: &str) -> Vec<InstanceView> {
        let Some(node) = ssi_keepalive::Node::new(self.number) else {
            return Vec::new();
        };
        let slots = self.agreed.held_by(node);
        let view = |id: Id| InstanceView {
            state: NOWHERE.to_owned(),
            node: Some(self.number),
            why: format!("nothing can be kept alive on node {node}: {why}"),
            ..self.view_of(&id)
        };
        let ids = slots.flat_map(|slot| self.agreed.ids(slot));
        ids.map(view).collect()
    }

    /// Whether something is kept alive here, and how it is.
    pub(crate) fn status(&self, id: &Id) -> Option<Status> {
        let local = self.local.as_ref().ok()?;
        local.supervisor().status(ssi_keepalive::runner::now(), id)
    }

    /// Why nothing can be kept alive here.
    pub(crate) fn unable(&self) -> Option<String> {
        self.local.as_ref().err().cloned()
    }

    /// What is to be somewhere, as far as the log says; how it is, its node says.
    pub(crate) fn wanted(&self) -> BTreeMap<Id, InstanceView> {
        let mut all: BTreeMap<Id, InstanceView> = BTreeMap::new();
        for (id, owner) in self.agreed.everywhere() {
            let mut view = self.view_of(&id);
            match owner {
                Owner::Nobody => self.nowhere(&id, &mut view),
                owner => {
                    view.node = owner.life().map(|life| life.node.get());
                    UNKNOWN.clone_into(&mut view.state);
                }
            }
            all.insert(id, view);
        }
        let members = super::install::members(&self.view, &self.agreed, &self.loads);
        let nobody = Held::default();
        let field = placement::Field::of(&members, &self.agreed.assignment);
        for (slot, wanted) in placement::wanted(&self.agreed.config, &members) {
            let held = self.agreed.assignment.slots.get(&slot).unwrap_or(&nobody);
            let next = field.choose(&slot, &wanted, held);
            for id in wanted.ids {
                let view = all.entry(id.clone()).or_insert_with(|| self.view_of(&id));
                if view.node.is_some() {
                    continue;
                }
                self.nowhere(&id, view);
                if let Some(node) = next
                    && view.state == NOWHERE
                {
                    UNKNOWN.clone_into(&mut view.state);
                    view.why = format!("the master gives it to a node now, perhaps to node {node}");
                }
            }
        }
        all
    }

    fn nowhere(&self, id: &Id, view: &mut InstanceView) {
        if self.agreed.is_stopped(&id.process) {
            State::Shutdown.name().clone_into(&mut view.state);
            let name = &id.process;
            view.why = format!("it was stopped; `ssi service start {name}` starts it");
            return;
        }
        NOWHERE.clone_into(&mut view.state);
        "no node that it may run on is UP, free to take it and not being drained; `ssi cluster` shows the nodes"
            .clone_into(&mut view.why);
    }

    fn view_of(&self, id: &Id) -> InstanceView {
        let config: &Config = &self.agreed.config;
        let process = config.process(&id.process);
        let args = process.map_or_else(Vec::new, |process| process.args.clone());
        InstanceView {
            name: id.process.to_string(),
            instance: id.instance,
            group: config.group_of(&id.process).map(|group| group.name.clone()),
            path: process.map_or_else(String::new, |p| p.path.display().to_string()),
            args,
            ..InstanceView::default()
        }
    }

    /// The last changes of state here, oldest first; of these processes, or of all.
    pub(crate) fn events(&self, names: &[String]) -> Vec<ServiceEvent> {
        let events = self.events.iter();
        events
            .filter(|event| names.is_empty() || names.contains(&event.name))
            .cloned()
            .collect()
    }
}
