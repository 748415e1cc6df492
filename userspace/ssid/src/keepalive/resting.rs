//! What an operator is about to stop or to restart: new connections go elsewhere first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ssi_keepalive::Node;
use ssi_keepalive::balance::Known;
use ssi_keepalive::core::{Condition, State};
use ssi_keepalive::placement::{Life, Slot};

use super::desk::Desk;

/// How long new connections stay away if nobody says that they may come again: whoever asked
/// for it may be gone.
const LONGEST: Duration = Duration::from_secs(5);

/// What rests, as the master remembers it: until when, and whether new connections go elsewhere.
#[derive(Default)]
pub(super) struct Resting(BTreeMap<(Slot, Life), (Instant, bool)>);

impl Resting {
    /// All that rests; what has done so for too long is forgotten.
    pub(super) fn all(&mut self) -> BTreeSet<(Slot, Life)> {
        let now = Instant::now();
        self.0.retain(|_, (until, _)| *until > now);
        self.0.keys().cloned().collect()
    }

    /// New connections go elsewhere.
    pub(super) fn is_out(&mut self, what: &(Slot, Life)) {
        if let Some((_, out)) = self.0.get_mut(what) {
            *out = true;
        }
    }
}

impl Desk {
    /// As the master, has new connections go elsewhere than to these processes, on one node or
    /// on all that have them; whether they do. Asked again, it is continued. None: this node is
    /// not the master.
    pub(crate) fn rest(&mut self, names: &[Arc<str>], node: Option<Node>) -> Option<bool> {
        if !self.is_master() {
            return None;
        }
        let until = Instant::now() + LONGEST;
        let mut all_out = true;
        for what in self.takes_connections(names, node) {
            let (when, out) = self.moving.resting.0.entry(what).or_insert((until, false));
            *when = until;
            all_out &= *out;
        }
        if !all_out {
            self.said.balance.send_modify(|count| *count += 1);
        }
        Some(all_out)
    }

    /// They may come again.
    pub(crate) fn wake(&mut self, names: &[Arc<str>], node: Option<Node>) {
        let agreed = &self.agreed;
        let named = |slot: &Slot| {
            agreed
                .ids(slot)
                .iter()
                .any(|id| names.contains(&id.process))
        };
        let resting = &mut self.moving.resting.0;
        resting.retain(|(slot, life), _| !named(slot) || node.is_some_and(|n| n != life.node));
        self.said.balance.send_modify(|count| *count += 1);
    }

    /// Where new connections may come to these processes now.
    fn takes_connections(&self, names: &[Arc<str>], node: Option<Node>) -> Vec<(Slot, Life)> {
        let balanced = |name: &Arc<str>| {
            let process = self.agreed.config.process(name);
            names.contains(name) && process.is_some_and(|process| !process.balance.is_empty())
        };
        let mut found = Vec::new();
        for (slot, held) in &self.agreed.assignment.slots {
            let ids = self.agreed.ids(slot);
            let ids: Vec<_> = ids.iter().filter(|id| balanced(&id.process)).collect();
            for life in held.owner.lives() {
                let takes = |known| match known {
                    Known::Good(condition) => condition.is_some_and(Condition::is_ready),
                    Known::Unknown => true,
                };
                let here = node.is_none_or(|node| node == life.node);
                if here && ids.iter().any(|id| takes(self.known(life.node, id))) {
                    found.push((slot.clone(), life));
                }
            }
        }
        found
    }

    /// Whether what this node has of these processes is ready, or stands still because it is to;
    /// what is waited for, if not.
    ///
    /// # Errors
    /// Why one of them will not be.
    pub(crate) fn settled(&self, names: &[Arc<str>]) -> Result<Option<String>, String> {
        let local = self.local.as_ref().map_err(Clone::clone)?;
        let supervisor = local.supervisor();
        let ready: BTreeMap<_, _> = supervisor.conditions().collect();
        let mut waits = None;
        for status in supervisor.list(ssi_keepalive::runner::now()) {
            let named = names.contains(&status.id.process);
            let stands = self.agreed.is_stopped(&status.id.process);
            if !named || stands || ready.get(&status.id).is_some_and(|it| it.is_ready()) {
                continue;
            }
            let why = format!("{} is {}: {}", status.id, status.state, status.why);
            if status.state == State::Down {
                return Err(why);
            }
            waits.get_or_insert(why);
        }
        Ok(waits)
    }
}
