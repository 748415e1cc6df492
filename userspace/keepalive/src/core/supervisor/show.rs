//! What operators see.

use super::Supervisor;
use crate::config::LogFile;
use crate::core::condition::Condition;
use crate::core::id::{Id, Main};
use crate::core::instance::{Instance, Phase};
use crate::core::record::Record;
use crate::core::state::State;
use crate::core::time::Time;

/// How an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which.
    pub id: Id,
    /// Its state.
    pub state: State,
    /// Why it is in it, and what gets it out of it.
    pub why: String,
    /// Its main process, if there is one.
    pub main: Option<Main>,
    /// Its errors.
    pub record: Record,
}

impl Supervisor {
    /// How all instances are that were placed here.
    pub fn list(&self, now: Time) -> impl Iterator<Item = Status> {
        self.entries
            .keys()
            .filter_map(move |id| self.status(now, id))
    }

    /// How one is; none: it wasn't placed here.
    #[must_use]
    pub fn status(&self, now: Time, id: &Id) -> Option<Status> {
        let instance = self.instance(id)?;
        Some(Status {
            id: id.clone(),
            state: instance.state(),
            why: self.why(now, id)?,
            main: instance.main(),
            record: instance.kept.record.clone(),
        })
    }

    /// Which instances may be writing to a log file, and how large that may become.
    pub(crate) fn logs(&self) -> Vec<(Id, LogFile)> {
        let alive = self.entries.values().map(|entry| &entry.instance);
        let alive = alive.filter(|instance| instance.kept.phase.is_alive());
        alive.map(|i| (i.id.clone(), i.process.log)).collect()
    }

    /// The main process of one, if there is one.
    #[must_use]
    pub fn main(&self, id: &Id) -> Option<Main> {
        self.instance(id).and_then(Instance::main)
    }

    /// The main processes of all.
    pub fn mains(&self) -> impl Iterator<Item = Main> {
        let all = self.entries.values();
        all.filter_map(|entry| entry.instance.main())
    }

    /// The state of one.
    #[must_use]
    pub fn state(&self, id: &Id) -> Option<State> {
        self.instance(id).map(Instance::state)
    }

    /// What all are good for that are good for anything.
    pub fn conditions(&self) -> impl Iterator<Item = (Id, Condition)> {
        let all = self.entries.iter();
        all.filter_map(|(id, entry)| Some((id.clone(), entry.instance.condition()?)))
    }

    /// Why it is in that state: in words, with what an operator can do about it.
    #[must_use]
    pub fn why(&self, now: Time, id: &Id) -> Option<String> {
        let instance = self.instance(id)?;
        if instance.kept.held.is_some() {
            let why = "it ends as soon as those that depend on it have ended";
            return Some(why.to_owned());
        }
        if instance.kept.phase == Phase::Waiting
            && let Some(waits) = self.gate(id).or_else(|| self.turn(id))
        {
            return Some(waits);
        }
        Some(instance.why(now))
    }
}
