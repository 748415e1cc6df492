//! A machine made up: it knows the truth, records events, loses some, and is looked at by
//! somebody slow.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ssi_vproc::core::{
    Change, Comm, Event, Exit, Id, Process, Snapshot, State, Status, Table, What,
};

const STATUS: Status = Status::Code(3);

/// What goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A process with this pid comes to be, if the number is free.
    Fork(u32),
    Exec(u32),
    Exit(u32),
    /// Its parent asks; the number is free again.
    Reap(u32),
    /// The next event finds the ring full.
    Lose,
    /// Events are read.
    Read,
    /// A snapshot begins: numbers up to this one are looked at.
    Look(u32),
    /// The other numbers are, and the snapshot is taken in.
    Finish,
}

/// The truth, and what the table makes of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    now: u64,
    programs: u32,
    alive: BTreeMap<u32, Process>,
    ring: VecDeque<Event>,
    loses: bool,
    lost: bool,
    looking: Option<(u32, Snapshot)>,
    pub(crate) table: Table,
    pub(crate) changes: Vec<Change>,
    /// Everybody who has ended.
    pub(crate) ended: Vec<Id>,
    pub(crate) ever_lost: bool,
}

impl World {
    pub(crate) fn step(&mut self, step: Step, nanos: u64) {
        self.now += nanos;
        match step {
            Step::Fork(pid) => self.fork(pid),
            Step::Exec(pid) => self.exec(pid),
            Step::Exit(pid) => self.exit(pid),
            Step::Reap(pid) => {
                if self
                    .alive
                    .get(&pid)
                    .is_some_and(|p| p.state == State::Zombie)
                {
                    self.alive.remove(&pid);
                }
            }
            Step::Lose => self.loses = true,
            Step::Read => self.read(),
            Step::Look(last) => self.look(last),
            Step::Finish => self.finish(),
        }
    }

    /// Everything is read, and looked at once more in peace.
    pub(crate) fn settle(&mut self) {
        self.finish();
        self.now += 10_000_000;
        self.look(u32::MAX);
        self.finish();
    }

    pub(crate) fn truth(&self) -> Vec<Process> {
        self.alive.values().cloned().collect()
    }

    fn fork(&mut self, pid: u32) {
        if self.alive.contains_key(&pid) {
            return;
        }
        self.now += 1;
        let process = Process {
            id: Id {
                pid,
                start: self.now,
            },
            state: State::Sleeping,
            threads: 1,
            ..Process::default()
        };
        self.alive.insert(pid, process);
        self.now += 1;
        self.record(pid, What::Fork);
    }

    fn exec(&mut self, pid: u32) {
        self.programs += 1;
        let name = self.programs.to_string();
        match self.alive.get_mut(&pid) {
            Some(process) if process.state != State::Zombie => {
                process.comm = Comm::new(name.as_bytes());
                self.record(pid, What::Exec);
            }
            _ => {}
        }
    }

    fn exit(&mut self, pid: u32) {
        match self.alive.get_mut(&pid) {
            Some(process) if process.state != State::Zombie => {
                process.state = State::Zombie;
                self.ended.push(process.id);
                let exit = Exit {
                    status: STATUS,
                    run: Duration::ZERO,
                    utime: Duration::ZERO,
                    stime: Duration::ZERO,
                    max_rss: 0,
                };
                self.record(pid, What::Exit(exit));
            }
            _ => {}
        }
    }

    fn record(&mut self, pid: u32, what: What) {
        if std::mem::take(&mut self.loses) {
            self.lost = true;
            self.ever_lost = true;
            return;
        }
        self.ring.push_back(Event {
            time: self.now,
            what,
            process: self.alive[&pid].clone(),
        });
    }

    fn read(&mut self) {
        while let Some(event) = self.ring.pop_front() {
            self.table.apply(&event, &mut self.changes);
        }
        if std::mem::take(&mut self.lost) {
            self.table.lost(self.now);
        }
    }

    fn look(&mut self, last: u32) {
        let snapshot = Snapshot {
            began: self.now,
            ended: 0,
            processes: self.alive.range(..=last).map(|(_, p)| p.clone()).collect(),
        };
        self.looking = Some((last, snapshot));
    }

    fn finish(&mut self) {
        let Some((last, mut snapshot)) = self.looking.take() else {
            return;
        };
        let rest = self.alive.iter().filter(|(pid, _)| **pid > last);
        snapshot.processes.extend(rest.map(|(_, p)| p.clone()));
        snapshot.ended = self.now;
        let (began, lost) = (snapshot.began, self.lost);
        self.read();
        self.table.refresh(snapshot, &mut self.changes);
        if lost && self.now > began {
            let wants = self.table.wants_snapshot();
            assert!(wants, "what was lost since it began, it can't make good");
        }
        if !self.ever_lost {
            self.check();
        }
    }

    /// Everything has been told, so nobody may be known as what they were before.
    fn check(&self) {
        for (pid, process) in &self.alive {
            let known = self.table.get(*pid).map(|p| (p.id, p.comm, p.state));
            assert_eq!(known, Some((process.id, process.comm, process.state)));
        }
    }
}
