//! Reading /proc.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::{Errno, read};
use ssi_abi::proc::task_flag;

use super::cgroup::Cgroups;
use super::parse::number;
use super::{Sched, Stat, Status};
use crate::Error;
use crate::core::{Comm, Id, Process};

/// Looks at all processes by /proc; keeps its buffer and what it knows of cgroups.
#[derive(Debug)]
pub struct Scanner {
    root: PathBuf,
    buffer: Vec<u8>,
    cgroups: Cgroups,
    page: u64,
    /// Nanoseconds of a clock tick.
    tick: u64,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// Of what is mounted at `/proc`, which is a pid namespace's: usually our own.
    #[must_use]
    pub fn new() -> Self {
        Self {
            root: PathBuf::from("/proc"),
            buffer: Vec::new(),
            cgroups: Cgroups::new(),
            page: rustix::param::page_size() as u64,
            tick: 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1),
        }
    }

    /// All processes. One that ends meanwhile is left out.
    ///
    /// # Errors
    /// /proc could not be read, or has files that we don't understand.
    pub fn scan(&mut self) -> Result<Vec<Process>, Error> {
        let mut processes = Vec::new();
        for pid in self.pids()? {
            match self.process(pid) {
                Ok(process) => processes.push(process),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(processes)
    }

    fn pids(&self) -> Result<Vec<u32>, Error> {
        let failed = |source| Error::Read {
            path: self.root.clone(),
            source,
        };
        let entries = fs::read_dir(&self.root).map_err(failed)?;
        let mut pids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            pids.extend(number::<u32>(name.as_encoded_bytes()));
        }
        Ok(pids)
    }

    /// All files by the one directory: whoever gets the number next has another.
    fn process(&mut self, pid: u32) -> Result<Process, Error> {
        let path = self.root.join(pid.to_string());
        let directory = open(CWD, &path, OFlags::DIRECTORY).map_err(at(&path))?;
        let directory = directory.as_fd();
        let strange = |name: &str| Error::Strange {
            path: path.join(name),
        };
        self.read(directory, "stat").map_err(at(&path))?;
        let mut stat = Stat::parse(&self.buffer).ok_or_else(|| strange("stat"))?;
        self.read(directory, "status").map_err(at(&path))?;
        let mut status = Status::parse(&self.buffer).ok_or_else(|| strange("status"))?;
        let mut sched = self.sched(directory).map_err(at(&path))?;
        if stat.threads > 1 {
            (sched, status) = self
                .threads(directory, &mut stat, status)
                .map_err(at(&path))?;
        }
        let cgroup = match self.read(directory, "cgroup") {
            Ok(()) => self.cgroups.number(&self.buffer),
            Err(_) => 0,
        };
        Ok(self.record(stat, status, sched, cgroup))
    }

    fn record(&self, stat: Stat, status: Status, sched: Sched, cgroup: u64) -> Process {
        let ticks = |n: u64| n.saturating_mul(self.tick);
        // Exact, but without the threads that have ended; those are in the ticks.
        let run = sched.run.max(ticks(stat.utime.saturating_add(stat.stime)));
        let stime = ticks(stat.stime).min(run);
        Process {
            id: Id {
                pid: stat.pid,
                start: ticks(stat.start),
            },
            ppid: stat.ppid,
            pgid: stat.pgid,
            sid: stat.sid,
            uid: status.uid,
            euid: status.euid,
            tty: stat.tty,
            cgroup,
            run: Duration::from_nanos(run),
            wait: Duration::from_nanos(sched.wait),
            utime: Duration::from_nanos(run - stime),
            stime: Duration::from_nanos(stime),
            voluntary: status.voluntary,
            involuntary: status.involuntary,
            rss: stat.rss.saturating_mul(self.page),
            swap: status.swap.saturating_mul(1024),
            size: stat.size,
            state: stat.state,
            threads: stat.threads,
            nice: stat.nice,
            kernel: stat.flags & task_flag::KERNEL != 0,
            comm: Comm::new(&stat.comm),
        }
    }

    /// Zero without `CONFIG_SCHED_INFO`.
    fn sched(&mut self, directory: BorrowedFd<'_>) -> Result<Sched, Errno> {
        match self.read(directory, "schedstat") {
            Ok(()) => Ok(Sched::parse(&self.buffer).unwrap_or_default()),
            Err(Errno::NOENT) => Ok(Sched::default()),
            Err(errno) => Err(errno),
        }
    }

    /// What the threads have each for themselves, added up; and their memory, if the first
    /// has ended and let go of it.
    fn threads(
        &mut self,
        process: BorrowedFd<'_>,
        stat: &mut Stat,
        status: Status,
    ) -> Result<(Sched, Status), Errno> {
        let tasks = open(process, "task", OFlags::DIRECTORY)?;
        let mut sched = Sched::default();
        let mut sum = Status {
            voluntary: 0,
            involuntary: 0,
            ..status
        };
        for entry in Dir::read_from(&tasks)? {
            let name = entry?.file_name().to_owned();
            if number::<u32>(name.to_bytes()).is_none() {
                continue;
            }
            // It may have ended meanwhile.
            let Ok(thread) = open(&tasks, name.as_c_str(), OFlags::DIRECTORY) else {
                continue;
            };
            let own = self.sched(thread.as_fd()).unwrap_or_default();
            sched.run = sched.run.saturating_add(own.run);
            sched.wait = sched.wait.saturating_add(own.wait);
            if self.read(thread.as_fd(), "status").is_ok()
                && let Some(own) = Status::parse(&self.buffer)
            {
                sum.voluntary = sum.voluntary.saturating_add(own.voluntary);
                sum.involuntary = sum.involuntary.saturating_add(own.involuntary);
                sum.swap = sum.swap.max(own.swap);
            }
            if stat.size == 0
                && self.read(thread.as_fd(), "stat").is_ok()
                && let Some(own) = Stat::parse(&self.buffer)
            {
                (stat.size, stat.rss) = (own.size, own.rss);
            }
        }
        Ok((sched, sum))
    }

    /// A whole file, into the buffer.
    fn read(&mut self, directory: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
        let file = open(directory, name, OFlags::empty())?;
        let mut length = 0;
        loop {
            self.buffer.resize(length + 4096, 0);
            match read(&file, &mut self.buffer[length..]) {
                Ok(0) => break,
                Ok(got) => length += got,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.buffer.truncate(length);
        Ok(())
    }
}

fn open(at: impl AsFd, path: impl rustix::path::Arg, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(at, path, flags | OFlags::CLOEXEC, Mode::empty())
}

fn at(path: &std::path::Path) -> impl Fn(Errno) -> Error {
    |errno| Error::Read {
        path: path.to_owned(),
        source: errno.into(),
    }
}

/// A process that has ended has no files, or files that can't be read any more.
fn is_gone(error: &Error) -> bool {
    let Error::Read { source, .. } = error else {
        return false;
    };
    source.kind() == io::ErrorKind::NotFound
        || source.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}
