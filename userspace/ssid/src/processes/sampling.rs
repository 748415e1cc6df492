//! Once a second, and whenever something happens.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssi_loader::ProcOptions;
use ssi_mosix::load::{Capacity, Ended, Key, Look, Memory, NodeLoad, Stalls, Tell, Usage};
use ssi_vproc::core::{Change, Id, Process};
use ssi_vproc::machine::Machine;
use ssi_vproc::{Error, Source, Tracker, clock};

use super::tuning::Tuning;
use super::waits::Waits;

const PERIOD: Duration = Duration::from_secs(1);

/// Events that follow each other so soon are taken in together: nobody is in a hurry, and a
/// wakeup costs more than an event.
const GATHER: Duration = Duration::from_millis(20);

/// How old what is shown may be. Events tell of ends, and not when a process's parent has let
/// go of it: until it is looked at again, it is shown as defunct.
const FRESH: Duration = Duration::from_millis(100);

/// What is known.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) tracker: Tracker,
    pub(super) load: NodeLoad,
    pub(super) tell: Option<Tell>,
    pub(super) waits: Waits,
    ended: Vec<Ended>,
    /// When all were looked at last.
    looked: Instant,
    /// Whether the last failure was said.
    complained: bool,
}

/// By tracing, or else by /proc.
pub(super) fn tracker(root: &Path) -> Tracker {
    let options = ProcOptions {
        pins: Some(root.to_owned()),
        ..ProcOptions::default()
    };
    Tracker::by_tracing(&options).unwrap_or_else(|why| {
        tracing::info!("processes are looked up in /proc: {why}");
        Tracker::by_procfs()
    })
}

/// Tracks until the process ends.
pub(super) fn run(tracker: Tracker, known: &Mutex<Option<Sampled>>, tuning: &Tuning) {
    let events = tracker
        .events_fd()
        .and_then(|events| events.try_clone_to_owned().ok());
    let mut sampled = Sampled {
        tracker,
        load: NodeLoad::new(),
        tell: None,
        waits: Waits::default(),
        ended: Vec::new(),
        looked: Instant::now(),
        complained: false,
    };
    sampled.sample(tuning);
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    *lock() = Some(sampled);
    let mut next = Instant::now() + PERIOD;
    loop {
        wait(events.as_ref(), next);
        let due = Instant::now() >= next;
        let mut known = lock();
        let Some(sampled) = known.as_mut() else {
            return;
        };
        if due {
            sampled.sample(tuning);
            next = (next + PERIOD).max(Instant::now());
        } else {
            sampled.catch_up();
        }
    }
}

/// Until there are events, but not longer than until `end`.
fn wait(events: Option<&OwnedFd>, end: Instant) {
    let left = || end.saturating_duration_since(Instant::now());
    let Some(events) = events else {
        thread::sleep(left());
        return;
    };
    let mut fds = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
    // Rounded up, so that it is not called again for the rest of a millisecond.
    let timeout = PollTimeout::try_from(left() + Duration::from_millis(1));
    match poll(&mut fds, timeout.unwrap_or(PollTimeout::ZERO)) {
        Ok(0) => {}
        Ok(_) => thread::sleep(GATHER.min(left())),
        // A signal, perhaps; not again at once in any case.
        Err(_) => thread::sleep(GATHER),
    }
}

impl Sampled {
    /// Takes in what has happened.
    pub(super) fn catch_up(&mut self) {
        let mut changes = Vec::new();
        let result = self.tracker.update(&mut changes);
        self.took(&changes, result);
    }

    /// Takes in what has happened, for somebody who wants to see it; where that is cheap, also
    /// how all are now.
    pub(super) fn look(&mut self) {
        let cheap = matches!(self.tracker.source(), Source::Kernel(_));
        if cheap && self.looked.elapsed() > FRESH {
            self.look_at_all();
        } else {
            self.catch_up();
        }
    }

    /// Whether it went well.
    fn look_at_all(&mut self) -> bool {
        let mut changes = Vec::new();
        let result = self.tracker.sample(&mut changes);
        self.looked = Instant::now();
        let went_well = result.is_ok();
        self.took(&changes, result);
        went_well
    }

    /// Takes in what everybody uses.
    fn sample(&mut self, tuning: &Tuning) {
        self.waits.want(tuning.waits(), &mut self.tracker);
        let went_well = self.look_at_all();
        // Without new figures everybody would seem to have stood still.
        if !went_well {
            return;
        }
        match Machine::look() {
            Ok(machine) => {
                let usages = self.tracker.table().processes().map(usage);
                let ended = self.ended.drain(..);
                let look = look(&machine, tuning.capacity(machine.cpus));
                let tell = self.load.add(&look, usages, ended);
                self.tell = tell.or(self.tell);
            }
            Err(why) => self.complain(&why),
        }
    }

    fn took(&mut self, changes: &[Change], result: Result<(), Error>) {
        let ends = changes.iter().filter_map(|change| match change {
            Change::Exited(id, exit) => Some(Ended {
                key: key(*id),
                run: exit.run,
            }),
            _ => None,
        });
        self.ended.extend(ends);
        match result {
            Ok(()) => self.complained = false,
            Err(why) => self.complain(&why),
        }
    }

    /// Once, until it works again.
    fn complain(&mut self, why: &Error) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!("processes could not be looked at: {why}");
        }
    }
}

/// What the load knows a process by.
pub(super) fn key(id: Id) -> Key {
    Key {
        pid: id.pid,
        start: id.start,
    }
}

fn usage(process: &Process) -> Usage {
    Usage {
        key: key(process.id),
        run: process.run,
        wait: process.wait,
    }
}

fn look(machine: &Machine, capacity: Capacity) -> Look {
    let memory = machine.memory;
    Look {
        at: clock::now(),
        capacity,
        memory: Memory {
            total: memory.total,
            available: memory.available,
            swap_total: memory.swap_total,
            swap_free: memory.swap_free,
        },
        stalls: machine.pressure.map(|pressure| Stalls {
            cpu: pressure.cpu.some,
            memory: pressure.memory.some,
            io: pressure.io.some,
        }),
    }
}
