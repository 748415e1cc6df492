//! Who entered themselves into the map of those whose end is remembered, and were not written
//! down: their supervisor was killed before it could.

use std::collections::HashSet;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::Local;
use crate::core::{Id, Main, Run, Time};
use crate::runner::exit;

/// The number by which one run is known there. Never 0. When it was to start counts as well:
/// runs of an instance that comes back to this node are numbered from the beginning.
fn mark(id: &Id, run: Run, started: Option<Time>) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(id.process.as_bytes());
    hasher.write_u32(id.instance);
    hasher.write_u64(run);
    hasher.write_u64(started.map_or(0, |at| at.0));
    hasher.finish().max(1)
}

impl Local {
    /// The number by which this run of an instance is known.
    pub(super) fn mark(&self, id: &Id, run: Run) -> u64 {
        let kept = self.supervisor.kept(id);
        mark(id, run, kept.and_then(|kept| kept.record.started))
    }

    /// A new supervisor looks who is there. Whoever nobody asks for any more is forgotten.
    pub(super) fn recall(&mut self) {
        let Some(past) = &mut self.past else { return };
        let entries = match past.entries() {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "who was started last can't be read");
                return;
            }
        };
        let mains: HashSet<u32> = self.supervisor.mains().map(|main| main.pid).collect();
        for entry in entries {
            if mains.contains(&entry.pid) {
                continue;
            }
            if entry.run == 0 {
                past.drop_pid(entry.pid);
            } else {
                self.entered.insert(entry.run, entry);
            }
        }
    }

    /// By now, everybody was asked for who matters.
    pub(super) fn recalled(&mut self) {
        let left = std::mem::take(&mut self.entered);
        if let Some(past) = &mut self.past {
            left.values().for_each(|entry| past.drop_pid(entry.pid));
        }
    }

    /// The main process of a run that was started, and not written down.
    pub(super) fn entered(&mut self, id: &Id, run: Run) -> Option<Main> {
        let mark = self.mark(id, run);
        let entry = self.entered.remove(&mark)?;
        let pid = entry.pid;
        // Nobody has the pid of one who has not ended.
        let start = entry.start.or_else(|| exit::start(pid))?;
        Some(Main { pid, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_its_own_number() {
        let (a, b) = (Id::new("a", 0), Id::new("a", 1));
        let at = |nanos| Some(Time(nanos));
        let marks = HashSet::from([
            mark(&a, 1, at(1)),
            mark(&b, 1, at(1)),
            mark(&a, 2, at(1)),
            mark(&a, 1, at(2)),
            mark(&a, 1, None),
        ]);
        assert_eq!(marks.len(), 5);
        assert_eq!(mark(&a, 1, at(1)), mark(&Id::new("a", 0), 1, at(1)));
    }
}
