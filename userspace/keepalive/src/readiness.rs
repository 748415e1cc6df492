//! What nodes tell each other of what their instances are good for.
//!
//! Pure. A [`Teller`] says everything once, and then what has changed, in messages that count
//! up; a [`Listener`] that misses one says so, and is told everything again. So does one that
//! is new: it has been told nothing of this session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::{Condition, Id};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Tells one teller from the next: an `ssid` has one for each life of each other node.
    pub session: u64,
    /// Counts the messages of a session to one listener.
    pub number: u64,
    /// Whether what isn't in it is good for nothing.
    pub whole: bool,
    /// What instances are good for; none: for nothing yet, or no more.
    pub conditions: Vec<(Id, Option<Condition>)>,
}

/// Who tells one other node.
#[derive(Clone, Debug)]
pub struct Teller {
    session: u64,
    number: u64,
    whole: bool,
    changed: BTreeMap<Id, Option<Condition>>,
}

impl Teller {
    /// One that has told nothing yet.
    #[must_use]
    pub const fn new(session: u64) -> Self {
        Self {
            session,
            number: 0,
            whole: true,
            changed: BTreeMap::new(),
        }
    }

    /// Something has changed.
    pub fn note(&mut self, id: &Id, condition: Option<Condition>) {
        if !self.whole {
            self.changed.insert(id.clone(), condition);
        }
    }

    /// The listener is to be told everything.
    pub fn tell_all(&mut self) {
        self.whole = true;
        self.changed.clear();
    }

    /// Whether the next message says everything.
    #[must_use]
    pub const fn tells_all(&self) -> bool {
        self.whole
    }

    /// The next message, if there is anything to say; `all` is asked for everything.
    pub fn next(&mut self, all: impl FnOnce() -> Vec<(Id, Condition)>) -> Option<Told> {
        if !self.whole && self.changed.is_empty() {
            return None;
        }
        self.number += 1;
        let whole = std::mem::take(&mut self.whole);
        let changed = std::mem::take(&mut self.changed);
        let conditions = if whole {
            let all = all().into_iter();
            all.map(|(id, condition)| (id, Some(condition))).collect()
        } else {
            changed.into_iter().collect()
        };
        Some(Told {
            session: self.session,
            number: self.number,
            whole,
            conditions,
        })
    }
}

/// What was heard of another node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Of which session, up to which message; none: nothing was heard.
    heard: Option<(u64, u64)>,
    conditions: BTreeMap<Id, Condition>,
}

/// What came of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was understood; else everything is to be told.
    pub understood: bool,
    /// Whether it is of an `ssid` that was not heard of before, and so knows nothing of us.
    pub is_new: bool,
    /// The processes of which an instance changed.
    pub changed: BTreeSet<Arc<str>>,
}

impl Listener {
    /// Whether anything is known of that node.
    #[must_use]
    pub const fn knows(&self) -> bool {
        self.heard.is_some()
    }

    /// What an instance is good for there.
    #[must_use]
    pub fn condition(&self, id: &Id) -> Option<Condition> {
        self.conditions.get(id).copied()
    }

    /// Whether any instance of a process is ready there.
    #[must_use]
    pub fn is_ready(&self, process: &str) -> bool {
        let (first, last) = (Id::new(process, 0), Id::new(process, u32::MAX));
        let mut all = self.conditions.range(first..=last);
        all.any(|(_, condition)| condition.is_ready())
    }

    /// Takes a message in. A late one, of which a later one of its session was heard, says
    /// nothing any more.
    pub fn hear(&mut self, told: Told) -> Outcome {
        let same = self.heard.filter(|(session, _)| *session == told.session);
        let last = same.map(|(_, number)| number);
        let mut outcome = Outcome {
            is_new: last.is_none(),
            ..Outcome::default()
        };
        if last.is_some_and(|last| told.number <= last) {
            outcome.understood = true;
            return outcome;
        }
        if !told.whole && last.is_none_or(|last| told.number != last + 1) {
            return outcome;
        }
        outcome.understood = true;
        self.heard = Some((told.session, told.number));
        if told.whole {
            let new = told.conditions.into_iter();
            let new: BTreeMap<Id, Condition> = new.filter_map(|(id, c)| Some((id, c?))).collect();
            let old = std::mem::replace(&mut self.conditions, new);
            let differs = |id: &&Id| old.get(id) != self.conditions.get(id);
            let ids = old.keys().chain(self.conditions.keys());
            let changed = ids.filter(differs).map(|id| id.process.clone());
            outcome.changed = changed.collect();
            return outcome;
        }
        for (id, condition) in told.conditions {
            let old = match condition {
                Some(condition) => self.conditions.insert(id.clone(), condition),
                None => self.conditions.remove(&id),
            };
            if old != condition {
                outcome.changed.insert(id.process);
            }
        }
        outcome
    }
}
