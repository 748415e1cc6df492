//! The processes of a node, kept up to date.
//!
//! Events tell at once who came and went; snapshots tell what everybody uses, and repair
//! what lost events have left wrong. Both may be late. What makes them agree:
//!
//! * A process is known by its pid and its start, so an event about a process that had the
//!   number before touches nobody else.
//! * An entry remembers since when it has surely been there. A snapshot that began later and
//!   does not have it proves that it is gone.
//! * A process that has ended stays as a zombie until a snapshot does not have it any more.
//!
//! Events that were recorded before a snapshot ended should be applied before the snapshot
//! is: then a process that is missing has told its end already, if it wasn't lost.

use std::collections::hash_map::Entry as Slot;

use rustc_hash::FxHashMap;

use super::{Event, Exit, Id, Process, Snapshot, State, What};

/// What a snapshot's clock and the clock of events may differ by, nanoseconds: the kernel's
/// clock for programs may stand a little aside while it is being adjusted
/// (`ktime_get_mono_fast_ns`).
const SKEW: u64 = 1_000_000;

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there, and was not known before.
    Started(Id),
    /// It executes another program.
    Executed(Id),
    /// It has ended.
    Exited(Id, Exit),
    /// It is gone, and nobody has told how it ended.
    Vanished(Id),
}

#[derive(Clone, Debug)]
struct Entry {
    process: Process,
    /// It has surely been there at this time.
    since: u64,
    /// When it executed a program last, as far as events told.
    executed: u64,
    exit: Option<Exit>,
}

/// The processes of a node.
#[derive(Clone, Debug, Default)]
pub struct Table {
    entries: FxHashMap<u32, Entry>,
    /// The next snapshot must have begun after this.
    wanted_since: Option<u64>,
    complete: bool,
}

impl Table {
    /// Nobody is known yet; a snapshot is wanted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every process, in no particular order.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.entries.values().map(|entry| &entry.process)
    }

    /// How many there are, zombies included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Who has this pid now.
    #[must_use]
    pub fn get(&self, pid: u32) -> Option<&Process> {
        self.entries.get(&pid).map(|entry| &entry.process)
    }

    /// This very process.
    #[must_use]
    pub fn by_id(&self, id: Id) -> Option<&Process> {
        self.get(id.pid).filter(|process| process.id == id)
    }

    /// Whether only a snapshot can tell who is there: events were lost, or none was taken
    /// yet.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        !self.complete || self.wanted_since.is_some()
    }

    /// Events were lost some time before `now`.
    pub fn lost(&mut self, now: u64) {
        self.wanted_since = Some(now);
    }

    /// Takes an event in. An event that is told twice changes nothing the second time.
    pub fn apply(&mut self, event: &Event, changes: &mut Vec<Change>) {
        let id = event.process.id;
        let entry = match self.entries.entry(id.pid) {
            Slot::Vacant(slot) => {
                changes.push(Change::Started(id));
                slot.insert(Entry::of_event(event))
            }
            Slot::Occupied(slot) => {
                let entry = slot.into_mut();
                let known = entry.process.id;
                if known.start > id.start {
                    // Of a process that had the number before. Its end is news all the same.
                    if let What::Exit(exit) = event.what {
                        changes.push(Change::Exited(id, exit));
                    }
                    return;
                }
                if known.start < id.start {
                    entry.leave(changes);
                    changes.push(Change::Started(id));
                    *entry = Entry::of_event(event);
                }
                entry
            }
        };
        match event.what {
            What::Fork => {}
            What::Exec if event.time > entry.executed => {
                entry.executed = event.time;
                entry.process.comm = event.process.comm;
                entry.process.uid = event.process.uid;
                entry.process.euid = event.process.euid;
                // Exec ends all threads but one.
                entry.process.threads = 1;
                changes.push(Change::Executed(id));
            }
            What::Exec => {}
            What::Exit(exit) => {
                if entry.exit.replace(exit).is_none() {
                    changes.push(Change::Exited(id, exit));
                }
                entry.end(exit);
            }
        }
    }

    /// Takes a snapshot in.
    pub fn refresh(&mut self, snapshot: Snapshot, changes: &mut Vec<Change>) {
        let began = snapshot.began;
        let mut seen = FxHashMap::default();
        seen.reserve(snapshot.processes.len());
        for process in snapshot.processes {
            let id = process.id;
            seen.insert(id.pid, id.start);
            match self.entries.entry(id.pid) {
                Slot::Vacant(slot) => {
                    changes.push(Change::Started(id));
                    slot.insert(Entry::of_snapshot(process, began));
                }
                Slot::Occupied(mut slot) => slot.get_mut().update(process, began, changes),
            }
        }
        self.entries.retain(|pid, entry| {
            let start = entry.process.id.start;
            let listed = seen.get(pid) == Some(&start);
            let must_be_listed = entry.since.saturating_add(SKEW) <= began;
            if listed || !must_be_listed {
                return true;
            }
            entry.leave(changes);
            false
        });
        self.complete = true;
        if self.wanted_since.is_some_and(|wanted| wanted <= began) {
            self.wanted_since = None;
        }
    }
}

impl Entry {
    fn of_event(event: &Event) -> Self {
        Self {
            process: event.process.clone(),
            since: event.time,
            executed: 0,
            exit: None,
        }
    }

    fn of_snapshot(process: Process, began: u64) -> Self {
        Self {
            process,
            since: began,
            executed: 0,
            exit: None,
        }
    }

    fn update(&mut self, process: Process, began: u64, changes: &mut Vec<Change>) {
        let (known, id) = (self.process.id, process.id);
        if known.start > id.start {
            return;
        }
        if known.start < id.start {
            self.leave(changes);
            changes.push(Change::Started(id));
            *self = Self::of_snapshot(process, began);
            return;
        }
        let comm = self.process.comm;
        self.process = process;
        // It may have been looked at before it executed the program that we know of.
        if self.executed >= began {
            self.process.comm = comm;
        }
        if let Some(exit) = self.exit {
            self.end(exit);
        }
    }

    /// What is left of it when it has ended.
    fn end(&mut self, exit: Exit) {
        let process = &mut self.process;
        process.state = State::Zombie;
        process.run = process.run.max(exit.run);
        (process.utime, process.stime) = (exit.utime, exit.stime);
        (process.rss, process.swap, process.size) = (0, 0, 0);
        process.threads = 1;
    }

    fn leave(&self, changes: &mut Vec<Change>) {
        if self.exit.is_none() {
            changes.push(Change::Vanished(self.process.id));
        }
    }
}
