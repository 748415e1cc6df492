//! One node's part in keeping processes alive.

mod act;
mod fence;
mod gate;
mod group;
mod orders;
mod place;
mod restore;
mod show;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::turn::Lines;
use super::action::Action;
use super::event::Event;
use super::id::Id;
use super::instance::Instance;
use super::time::Time;
use crate::config::{Config, Group};
use crate::node::Node;

pub use self::show::Status;

/// Keeps alive what was placed on this node.
///
/// The configuration must be a right one ([`Config::read`]): processes that wait for each
/// other would never stop.
#[derive(Debug)]
pub struct Supervisor {
    config: Arc<Config>,
    entries: BTreeMap<Id, Entry>,
    timers: BTreeSet<(Time, Id)>,
    /// Who waits for a process.
    dependents: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// The group of each process that is in one.
    groups: BTreeMap<Arc<str>, Arc<Group>>,
    /// On which other nodes a process is ready.
    elsewhere: BTreeMap<Arc<str>, BTreeSet<Node>>,
    quiesced: bool,
    fenced: bool,
    /// Those that are being started.
    starting: BTreeSet<Id>,
    /// Those that could start, and wait for their turn.
    lines: Lines,
    /// Makes waits differ from one process, and one node, to the next.
    seed: u64,
    changed: BTreeSet<Id>,
    /// Whoever may go on because of what has just happened.
    todo: Vec<Id>,
    actions: Vec<Action>,
}

#[derive(Debug)]
struct Entry {
    instance: Instance,
    /// What of it is in `timers`.
    timer: Option<Time>,
    /// Whether it is in `lines`.
    in_line: bool,
}

impl Supervisor {
    /// One that has nothing to do yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let mut made = Self {
            config: Arc::default(),
            entries: BTreeMap::new(),
            timers: BTreeSet::new(),
            dependents: BTreeMap::new(),
            groups: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            quiesced: false,
            fenced: false,
            starting: BTreeSet::new(),
            lines: Lines::default(),
            seed: 0,
            changed: BTreeSet::new(),
            todo: Vec::new(),
            actions: Vec::new(),
        };
        made.configured(config);
        made
    }

    /// Takes an event in. The actions are to be carried out in their order.
    pub fn handle(&mut self, now: Time, event: Event) -> Vec<Action> {
        match event {
            Event::Tick => self.tick(now),
            Event::Heard { id, run, heard } => {
                self.act(now, &id, |instance, out| {
                    instance.hear(now, run, heard, out);
                });
            }
            Event::Configured(config) => self.configured(config),
            Event::Place { id, carried } => self.place(now, id, carried),
            Event::Release(id) => self.release(now, &id),
            Event::Order(order) => self.order(now, order),
            Event::Elsewhere {
                process,
                node,
                ready,
            } => self.ready_elsewhere(&process, node, ready),
            Event::NodeDown(node) => self.node_down(node),
            Event::Fence => self.fence(now),
            Event::Unfence => self.unfence(now),
            Event::Lost => self.lost(now),
        }
        self.go_on(now);
        std::mem::take(&mut self.actions)
    }

    /// When it wants to be told [`Event::Tick`]; none: it waits for others only.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whose [`kept`](Self::kept) is another than when this was last asked. To be written
    /// down before the actions are carried out.
    pub fn changed(&mut self) -> BTreeSet<Id> {
        std::mem::take(&mut self.changed)
    }

    fn tick(&mut self, now: Time) {
        // Those that are due now; whatever they set anew waits for its own time.
        let due: Vec<Id> = (self.timers.iter())
            .take_while(|(at, _)| *at <= now)
            .map(|(_, id)| id.clone())
            .collect();
        for id in due {
            self.act(now, &id, |instance, out| instance.tick(now, out));
        }
    }

    fn ids(&self, process: &str) -> Vec<Id> {
        let (first, last) = (Id::new(process, 0), Id::new(process, u32::MAX));
        let range = self.entries.range(first..=last);
        range.map(|(id, _)| id.clone()).collect()
    }

    fn all(&self) -> Vec<Id> {
        self.entries.keys().cloned().collect()
    }

    fn instance(&self, id: &Id) -> Option<&Instance> {
        self.entries.get(id).map(|entry| &entry.instance)
    }
}
