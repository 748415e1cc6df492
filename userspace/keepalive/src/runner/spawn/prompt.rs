//! On a machine that has more to do than it can, a restart takes its time from whoever is
//! busy: the thread that supervises is let in before them, and so is what it starts, until
//! that has become its program.
//!
//! It runs under `SCHED_RR`, whose forks are ordinary processes again
//! (`SCHED_RESET_ON_FORK`): what it starts for other reasons isn't meant.

use std::io;
use std::time::{Duration, Instant};

use libc::{SCHED_OTHER, SCHED_RESET_ON_FORK, SCHED_RR, c_int, pid_t};

/// A start is let in before others if there are not more of them in this time: one that
/// follows a crash is, a storm of them waits as everybody does.
const AT_MOST: u32 = 8;
const IN: Duration = Duration::from_millis(100);

/// Has the kernel prefer this thread, which is to supervise. Its children are ordinary ones.
///
/// # Errors
/// No rights (`CAP_SYS_NICE`), or a cgroup without real-time budget; it works without, slower
/// on a busy machine.
pub fn be_prompt() -> io::Result<()> {
    schedule(0, SCHED_RR | SCHED_RESET_ON_FORK, 1)
}

/// Which starts are let in before others.
#[derive(Debug)]
pub(crate) struct Prompt {
    since: Instant,
    starts: u32,
}

impl Prompt {
    pub(crate) fn new() -> Self {
        let (since, starts) = (Instant::now(), 0);
        Self { since, starts }
    }

    /// For the next start: its process inherits what this thread has; none: not this time.
    pub(crate) fn lend(&mut self) -> Option<Lent> {
        // SAFETY: no memory is touched.
        let policy = unsafe { libc::sched_getscheduler(0) };
        if policy != SCHED_RR | SCHED_RESET_ON_FORK {
            return None;
        }
        if self.since.elapsed() > IN {
            *self = Self::new();
        }
        self.starts = self.starts.saturating_add(1);
        if self.starts > AT_MOST {
            return None;
        }
        schedule(0, SCHED_RR, 1).ok().map(|()| Lent)
    }
}

/// What is forked while this lives inherits what this thread has.
#[derive(Debug)]
pub(crate) struct Lent;

impl Lent {
    /// The process has become its program, and is one as any other from here on. (If we are
    /// killed right before, the next supervisor sees to it: [`restore`].)
    pub(crate) fn take_back(self, pid: u32) {
        if let Ok(pid) = pid_t::try_from(pid) {
            let _ = schedule(pid, SCHED_OTHER, 0);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let _ = be_prompt();
    }
}

/// Makes a process an ordinary one that a supervisor may have left preferred.
pub(crate) fn restore(pid: u32) {
    let Ok(pid) = pid_t::try_from(pid) else {
        return;
    };
    // SAFETY: no memory is touched.
    if unsafe { libc::sched_getscheduler(pid) } == SCHED_RR {
        let _ = schedule(pid, SCHED_OTHER, 0);
    }
}

fn schedule(pid: pid_t, policy: c_int, priority: c_int) -> io::Result<()> {
    let parameters = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: a valid structure.
    match unsafe { libc::sched_setscheduler(pid, policy, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
