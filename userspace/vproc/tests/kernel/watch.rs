//! A tracker, and what it has told.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssi_loader::ProcOptions;
use ssi_vproc::Tracker;
use ssi_vproc::core::{Change, Id, Process, Status};

/// How long something may take to be told.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Watch {
    pub(crate) tracker: Tracker,
    pub(crate) changes: Vec<Change>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self::with(&ProcOptions::default())
    }

    pub(crate) fn with(options: &ProcOptions) -> Self {
        let tracker = Tracker::by_tracing(options).expect("root, BPF and BTF");
        let mut watch = Self {
            tracker,
            changes: Vec::new(),
        };
        watch.tracker.update(&mut watch.changes).expect("updates");
        watch
    }

    pub(crate) fn update(&mut self) {
        self.tracker.update(&mut self.changes).expect("updates");
    }

    pub(crate) fn sample(&mut self) {
        self.tracker.sample(&mut self.changes).expect("samples");
    }

    /// Sleeps until there are events, until `told` finds what it looks for.
    pub(crate) fn until<T>(&mut self, what: &str, told: impl Fn(&Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            self.update();
            if let Some(found) = told(self) {
                return found;
            }
            assert!(Instant::now() < end, "{what}: not told; {:?}", self.changes);
            let events = self.tracker.events_fd().expect("there are events");
            let mut fds = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::from(100_u8)).expect("polls");
        }
    }

    /// Who was started last with this number.
    pub(crate) fn started(&mut self, pid: u32) -> Id {
        self.until("start", |watch| {
            watch.changes.iter().rev().find_map(|change| match change {
                Change::Started(id) if id.pid == pid => Some(*id),
                _ => None,
            })
        })
    }

    /// How this process has ended.
    pub(crate) fn status(&mut self, id: Id) -> Status {
        self.until("end", |watch| {
            watch.changes.iter().find_map(|change| match change {
                Change::Exited(ended, exit) if *ended == id => Some(exit.status),
                _ => None,
            })
        })
    }

    /// Whether anything of this process's end was told.
    pub(crate) fn has_ended(&self, id: Id) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::Exited(ended, _) | Change::Vanished(ended) if *ended == id)
        })
    }

    pub(crate) fn process(&self, id: Id) -> Process {
        self.tracker.table().by_id(id).expect("it is known").clone()
    }
}
