use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use ssi_abi::proc::Task;
use ssi_loader::{Events, Proc, ProcOptions};

use crate::Error;
use crate::clock::now;
use crate::core::{Change, Event, Snapshot, Table, fold};
use crate::procfs::Scanner;

/// Where the records come from.
#[derive(Debug)]
pub enum Source {
    /// Tracing: events, and the kernel's iterator over tasks.
    Kernel(Box<Proc>),
    /// /proc: snapshots only.
    Procfs(Box<Scanner>),
}

/// Keeps the table of this node's processes.
///
/// It sees what its own pid namespace sees. Call [`Self::update`] whenever
/// [`Self::events_fd`] is readable, and [`Self::sample`] as often as usage is wanted.
#[derive(Debug)]
pub struct Tracker {
    source: Source,
    events: Option<Events>,
    lost: u64,
    table: Table,
    tasks: Vec<Task>,
    page: u64,
}

impl Tracker {
    /// By tracing; what was recorded while nobody read comes first.
    ///
    /// # Errors
    /// This kernel can't, or we may not; [`Self::by_procfs`] works without.
    pub fn by_tracing(options: &ProcOptions) -> Result<Self, Error> {
        let mut proc = Proc::open(options)?;
        proc.attach()?;
        let events = proc.take_events();
        // What was lost before is made good by the first snapshot, as all else.
        let lost = proc.lost()?;
        Ok(Self::new(Source::Kernel(Box::new(proc)), events, lost))
    }

    /// By /proc: nobody is seen who begins and ends between two snapshots.
    #[must_use]
    pub fn by_procfs() -> Self {
        Self::new(Source::Procfs(Box::default()), None, 0)
    }

    fn new(source: Source, events: Option<Events>, lost: u64) -> Self {
        Self {
            source,
            events,
            lost,
            table: Table::new(),
            tasks: Vec::new(),
            page: rustix::param::page_size() as u64,
        }
    }

    /// The processes, as known by now.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Where the records come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Readable when there are events. `None`: there never are any.
    #[must_use]
    pub fn events_fd(&self) -> Option<BorrowedFd<'_>> {
        self.events.as_ref().map(|events| events.as_fd())
    }

    /// Takes in what has happened; takes a snapshot too if events were lost.
    ///
    /// # Errors
    /// The kernel, or /proc, could not be read.
    pub fn update(&mut self, changes: &mut Vec<Change>) -> Result<(), Error> {
        self.drain(changes)?;
        if self.table.wants_snapshot() {
            self.sample(changes)?;
        }
        Ok(())
    }

    /// Takes in what has happened, and what everybody uses now.
    ///
    /// # Errors
    /// The kernel, or /proc, could not be read.
    pub fn sample(&mut self, changes: &mut Vec<Change>) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        // Whoever ended before they could be seen has told so by now.
        self.drain(changes)?;
        self.table.refresh(snapshot, changes);
        Ok(())
    }

    /// All processes as they are now; the table is not touched.
    ///
    /// # Errors
    /// The kernel, or /proc, could not be read.
    pub fn snapshot(&mut self) -> Result<Snapshot, Error> {
        let began = now();
        let processes = match &mut self.source {
            Source::Kernel(proc) => {
                proc.snapshot(&mut self.tasks)?;
                fold(&self.tasks, self.page)
            }
            Source::Procfs(scanner) => scanner.scan()?,
        };
        Ok(Snapshot {
            began,
            ended: now(),
            processes,
        })
    }

    /// Begins or ends to measure how long tasks wait for a processor, on the whole machine.
    ///
    /// # Errors
    /// Nothing is traced; the kernel doesn't keep account of that, or refused the program.
    pub fn measure_waits(&mut self, on: bool) -> Result<(), Error> {
        match &mut self.source {
            Source::Kernel(proc) => Ok(proc.measure_queue(on)?),
            Source::Procfs(_) if on => Err(Error::Untraced("measuring how long tasks wait")),
            Source::Procfs(_) => Ok(()),
        }
    }

    /// What was measured so far, as [`ssi_loader::Latencies::read`] has it.
    ///
    /// # Errors
    /// It could not be read.
    pub fn waits(&self) -> Result<Vec<(Duration, u64)>, Error> {
        match &self.source {
            Source::Kernel(proc) => Ok(proc.latencies().read()?),
            Source::Procfs(_) => Ok(Vec::new()),
        }
    }

    fn drain(&mut self, changes: &mut Vec<Change>) -> Result<(), Error> {
        let Some(events) = &mut self.events else {
            return Ok(());
        };
        while let Some(record) = events.take_next() {
            if let Some(event) = Event::of_record(&record, self.page) {
                self.table.apply(&event, changes);
            }
        }
        if let Source::Kernel(proc) = &self.source {
            let lost = proc.lost()?;
            if lost != self.lost {
                self.lost = lost;
                self.table.lost(now());
            }
        }
        Ok(())
    }
}
