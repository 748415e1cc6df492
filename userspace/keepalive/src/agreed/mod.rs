//! What all nodes agree on: the configuration, who runs what, and what operators want.
//!
//! Pure: entries of the view log go in ([`Agreed::apply`]), in their order, and whoever has
//! applied the same ones has the same. What follows from it for one node is answered
//! ([`Agreed::duties`]), and what the master should write next ([`Agreed::plan`]).

mod change;
mod duty;
mod entry;
mod placing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use change::{Any, Change, merge};
pub use duty::Duty;
pub use entry::{Entry, MOST_TEXT, NoEntry, parts};

use crate::config::Config;
use crate::core::{Carried, Id};
use crate::node::Node;
use crate::placement::{Assignment, Move, Owner, Slot};

/// Most bytes of configuration whose parts wait for their change.
const MOST_WAITING: usize = 32 << 20;

/// What all nodes agree on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreed {
    /// What is to be kept alive.
    pub config: Arc<Config>,
    /// Who runs what.
    pub assignment: Assignment,
    /// Nodes that are to run nothing.
    pub drained: BTreeSet<Node>,
    /// Nothing is started until further notice.
    pub quiesced: bool,
    /// What operators said last of a process: that it is to stand still (true) or to run.
    pub(crate) stopped: BTreeMap<Arc<str>, bool>,
    /// What the next node is to know of an instance.
    pub(crate) carried: BTreeMap<Id, Carried>,
    /// What may still run in slots of groups that the configuration has no more.
    pub(crate) left: BTreeMap<Slot, BTreeSet<Id>>,
    /// Parts of a change that is not complete yet.
    pub(crate) waiting: BTreeMap<u64, String>,
}

/// What one node has to do because of an entry, besides its [`duties`](Agreed::duties).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The configuration has changed, or whether something is started by itself.
    pub configured: bool,
    /// Processes that are to stand still from now on.
    pub stop: Vec<Arc<str>>,
    /// Processes that are to run from now on.
    pub start: Vec<Arc<str>>,
    /// Instances that go on without supervision.
    pub abandon: BTreeSet<Id>,
    /// Whether starting anything is to cease, or to go on.
    pub quiesce: Option<bool>,
}

impl Agreed {
    /// Applies an entry.
    ///
    /// # Errors
    /// It changes nothing; all nodes find it so.
    pub fn apply(&mut self, entry: &Entry) -> Result<News, String> {
        match entry {
            Entry::Part { token, text } => {
                self.keep_part(*token, text);
                Ok(News::default())
            }
            Entry::Change(change) => self.change(change),
            Entry::Moves { moves, carried } => {
                self.carry(moves, carried);
                Ok(News::default())
            }
            Entry::Stop { names, stopped } => self.stop(names, *stopped),
            Entry::Drain { node, drained } => {
                if *drained {
                    self.drained.insert(*node);
                    self.assignment.ask_anew(*node);
                } else {
                    self.drained.remove(node);
                }
                Ok(News::default())
            }
            Entry::Quiesce(quiesced) => {
                self.quiesced = *quiesced;
                Ok(News {
                    quiesce: Some(*quiesced),
                    ..News::default()
                })
            }
        }
    }

    /// Whether operators, or its configuration, want a process to stand still.
    #[must_use]
    pub fn is_stopped(&self, process: &str) -> bool {
        let said = self.stopped.get(process).copied();
        let by_itself = || self.config.process(process).is_none_or(|p| p.enabled);
        said.unwrap_or_else(|| !by_itself())
    }

    /// Whether a process belongs to one node, and so needs no lease there.
    #[must_use]
    pub fn is_bound(&self, process: &str) -> bool {
        let process = self.config.process(process);
        process.is_some_and(|process| !self.config.place(process).can_move())
    }

    /// The configuration as a supervisor goes by it: what operators stopped is not started.
    #[must_use]
    pub fn effective(&self) -> Config {
        let mut config = Config::clone(&self.config);
        for process in &mut config.process {
            process.enabled = !self.is_stopped(&process.name);
        }
        config
    }

    fn keep_part(&mut self, token: u64, text: &str) {
        self.waiting.entry(token).or_default().push_str(text);
        let size = |all: &BTreeMap<u64, String>| all.values().map(String::len).sum::<usize>();
        // Whoever wrote the others has given up, or their changes are refused.
        while size(&self.waiting) > MOST_WAITING {
            let other = self.waiting.keys().find(|other| **other != token).copied();
            self.waiting.remove(&other.unwrap_or(token));
        }
    }

    fn carry(&mut self, moves: &[Move], carried: &[(Id, Carried)]) {
        self.carried.extend(carried.iter().cloned());
        for change in moves {
            let forgotten = match change {
                Move::Forget { slot, .. } => self.ids(slot),
                _ => BTreeSet::new(),
            };
            self.assignment.apply(change);
            if let Move::Give { slot, node, .. } = change
                && self.assignment.owner(slot) == Owner::Runs(*node)
            {
                self.left.remove(slot);
            }
            let (Move::Released { slot, .. } | Move::Forget { slot, .. }) = change else {
                continue;
            };
            if self.assignment.owner(slot) == Owner::Nobody {
                self.left.remove(slot);
            }
            if !self.assignment.slots.contains_key(slot) {
                self.carried.retain(|id, _| !forgotten.contains(id));
            }
        }
    }

    fn stop(&mut self, names: &[Arc<str>], stopped: bool) -> Result<News, String> {
        let unknown = names
            .iter()
            .find(|name| self.config.process(name).is_none());
        if let Some(name) = unknown {
            return Err(format!("there is no process {name} any more"));
        }
        let mut news = News {
            configured: true,
            ..News::default()
        };
        for name in names {
            self.stopped.insert(name.clone(), stopped);
            let list = if stopped {
                &mut news.stop
            } else {
                &mut news.start
            };
            list.push(name.clone());
        }
        Ok(news)
    }

    /// What differs in what operators want, for a node that takes this over in place of
    /// `before`, entries being missing.
    #[must_use]
    pub fn since(&self, before: &Self) -> News {
        let names = || self.config.process.iter().map(|p| Arc::from(&*p.name));
        let now = |name: &Arc<str>| self.is_stopped(name);
        let then = |name: &Arc<str>| before.is_stopped(name);
        News {
            configured: true,
            stop: names().filter(now).collect(),
            start: names().filter(|name| then(name) && !now(name)).collect(),
            abandon: BTreeSet::new(),
            quiesce: Some(self.quiesced),
        }
    }
}

/// What is written down, and told to nodes that lack it.
#[derive(Serialize, Deserialize)]
struct Written {
    config: String,
    assignment: Assignment,
    drained: BTreeSet<Node>,
    quiesced: bool,
    stopped: BTreeMap<Arc<str>, bool>,
    carried: BTreeMap<Id, Carried>,
    left: BTreeMap<Slot, BTreeSet<Id>>,
    waiting: BTreeMap<u64, String>,
}

impl Agreed {
    /// As bytes.
    ///
    /// # Errors
    /// The configuration has a number that can't be written.
    pub fn export(&self) -> Result<Vec<u8>, String> {
        let written = Written {
            config: self.config.print().map_err(|error| error.to_string())?,
            assignment: self.assignment.clone(),
            drained: self.drained.clone(),
            quiesced: self.quiesced,
            stopped: self.stopped.clone(),
            carried: self.carried.clone(),
            left: self.left.clone(),
            waiting: self.waiting.clone(),
        };
        postcard::to_stdvec(&written).map_err(|error| error.to_string())
    }

    /// From bytes.
    ///
    /// # Errors
    /// They make no sense.
    pub fn import(bytes: &[u8]) -> Result<Self, String> {
        let written: Written = postcard::from_bytes(bytes).map_err(|error| error.to_string())?;
        let config = change::read(&written.config, "the agreed configuration")?;
        Ok(Self {
            config: Arc::new(config),
            assignment: written.assignment,
            drained: written.drained,
            quiesced: written.quiesced,
            stopped: written.stopped,
            carried: written.carried,
            left: written.left,
            waiting: written.waiting,
        })
    }
}
