//! Of many starts, cgroups and log files are made ahead by another thread: whoever starts a
//! process stands still until that has become its program, and needs them only then.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, Scope};

use super::Local;
use crate::config::CgroupLimits;
use crate::core::{Action, Id};
use crate::runner::cgroup::{Cgroup, Seat};
use crate::runner::log;

/// For fewer starts another thread is not worth it.
const MANY: usize = 4;

/// What a start needs.
pub(super) struct Made {
    pub(super) seat: io::Result<Seat>,
    pub(super) log: io::Result<File>,
}

/// What is to be made for a start.
pub(super) struct Job {
    id: Id,
    cgroup: Cgroup,
    limits: CgroupLimits,
    log: PathBuf,
}

impl Job {
    fn make(&self) -> Made {
        Made {
            seat: self.cgroup.make(&self.limits),
            log: log::open(&self.log),
        }
    }
}

/// What is being made ahead; in the order of the starts.
#[derive(Default)]
pub(super) struct Ahead {
    ids: VecDeque<Id>,
    made: Option<Receiver<Made>>,
}

impl Ahead {
    /// Has all of it made.
    pub(super) fn begin<'scope>(jobs: Vec<Job>, scope: &'scope Scope<'scope, '_>) -> Self {
        let ids = jobs.iter().map(|job| job.id.clone()).collect();
        let (give, made) = channel();
        let work = move || {
            for job in &jobs {
                if give.send(job.make()).is_err() {
                    break;
                }
            }
        };
        let thread = Builder::new().name("ahead".to_owned());
        // Without it, each start makes what it needs.
        match thread.spawn_scoped(scope, work) {
            Ok(_) => Self {
                ids,
                made: Some(made),
            },
            Err(_) => Self::default(),
        }
    }

    /// What was made for this start; none: it makes it itself.
    pub(super) fn take(&mut self, id: &Id) -> Option<Made> {
        if self.ids.front() != Some(id) {
            return None;
        }
        self.ids.pop_front();
        self.made.as_ref()?.recv().ok()
    }
}

impl Local {
    /// What can be made ahead. Nobody waits for the first start; a cgroup that is used again is
    /// there; and what else happens to an instance happens in its order.
    pub(super) fn jobs(&self, actions: &[Action]) -> Vec<Job> {
        let starts = actions.iter();
        let starts = starts.filter(|action| matches!(action, Action::Start { .. }));
        if starts.count() < MANY {
            return Vec::new();
        }
        let mut count: HashMap<&Id, u32> = HashMap::new();
        for id in actions.iter().filter_map(Action::touches) {
            *count.entry(id).or_default() += 1;
        }
        let jobs = actions.iter().filter_map(|action| {
            let Action::Start { id, process, .. } = action else {
                return None;
            };
            let again = self.running.get(id).and_then(|running| running.cgroup);
            (again.is_none() && count.get(id) == Some(&1)).then(|| Job {
                id: id.clone(),
                cgroup: self.cgroups.of(id),
                limits: process.cgroup,
                log: self.log(id),
            })
        });
        jobs.skip(1).collect()
    }
}
