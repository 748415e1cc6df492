//! A CPU to oneself, as far as that goes: nanoseconds are measured on one CPU, and before
//! every process that does not ask for real time.

use std::io;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Until it is dropped, this thread runs on one CPU, with SCHED_FIFO.
#[derive(Debug)]
pub(crate) struct Quiet {
    before: CpuSet,
}

impl Quiet {
    /// Takes the last CPU: the first one has most of the interrupts.
    pub(crate) fn take() -> Result<Self> {
        let before = sched_getaffinity(Pid::from_raw(0))?;
        let last = (0..CpuSet::count())
            .rev()
            .find(|cpu| before.is_set(*cpu).unwrap_or(false))
            .context("this process may run on no CPU?")?;
        let mut one = CpuSet::new();
        one.set(last)?;
        sched_setaffinity(Pid::from_raw(0), &one)?;
        // From here on a failure gives the CPUs back.
        let quiet = Self { before };
        schedule(libc::SCHED_FIFO, 1).context(
            "cannot get SCHED_FIFO (in a cgroup without real-time budget? see cpu.rt_runtime_us)",
        )?;
        Ok(quiet)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // What can't be given back goes with the process.
        let _ = schedule(libc::SCHED_OTHER, 0);
        let _ = sched_setaffinity(Pid::from_raw(0), &self.before);
    }
}

fn schedule(policy: libc::c_int, priority: libc::c_int) -> io::Result<()> {
    let parameters = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: a valid structure, and 0 is this thread.
    match unsafe { libc::sched_setscheduler(0, policy, &parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
