//! Starts a process: at once in its cgroup, and held by a descriptor from its first moment.
//!
//! Everything that can be prepared is, before the process is there: between clone3(2) and
//! execve(2) it makes system calls only, with what it finds ready ([`child`]).

mod child;
mod plan;

use std::fs::File;
use std::io::{self, Read as _};
use std::mem::size_of;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};

use self::child::{Failed, STEPS};
pub(crate) use self::plan::Plan;
use super::cgroup::Seat;

/// Of linux/sched.h; libc's constant is too narrow for it.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// A process that was started.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
}

/// Starts a process in a cgroup.
///
/// Waits until its program runs, or can't. What hangs meanwhile (a file server that doesn't
/// answer) hangs the caller.
pub(crate) fn spawn(plan: &Plan, seat: &Seat) -> io::Result<Spawned> {
    match attempt(plan, seat, Join::AtBirth)? {
        Some(spawned) => Ok(spawned),
        // Where the parent's own cgroup was killed once, some kernels kill what is cloned
        // into any other (see Cgroup::make). Moving into it is slower, and always works.
        None => attempt(plan, seat, Join::ByItself)?
            .ok_or_else(|| io::Error::other("it was killed before its program ran")),
    }
}

/// How a process comes into its cgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    AtBirth,
    ByItself,
}

/// None: it was killed before its program ran.
fn attempt(plan: &Plan, seat: &Seat, join: Join) -> io::Result<Option<Spawned>> {
    let (hears, tells) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all zeros is a clone_args that asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = libc::CLONE_PIDFD as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    let procs = match join {
        Join::AtBirth => {
            args.flags |= CLONE_INTO_CGROUP;
            args.cgroup = seat.folder.as_raw_fd() as u64;
            None
        }
        Join::ByItself => Some(seat.procs.as_raw_fd()),
    };
    let blocked = Blocked::all();
    // SAFETY: the arguments are of that size, and live until the call returns. The child has
    // a copy of all memory; it uses no lock, no allocation, nothing but system calls.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of_val(&args)) };
    if pid == 0 {
        child::run(plan, procs, tells.as_raw_fd());
    }
    // Read before anything else changes it.
    let error = io::Error::last_os_error();
    drop(blocked);
    drop(tells);
    if pid < 0 {
        let message = format!("no process could be made: {error}");
        return Err(io::Error::new(error.kind(), message));
    }
    // SAFETY: the kernel has just put an open descriptor there, and it is nobody else's.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let mut hears = File::from(hears);
    let mut word = [0; size_of::<Failed>()];
    // Whoever is killed at birth says nothing at all.
    if hears.read_exact(&mut word).is_err() {
        ended(&pidfd);
        return Ok(None);
    }
    // Nothing more comes if the program runs: its end of the pipe is closed then.
    if hears.read_exact(&mut word).is_ok() {
        ended(&pidfd);
        return Err(failed(plan, Failed::from_bytes(word)));
    }
    let pid = u32::try_from(pid).map_err(io::Error::other)?;
    Ok(Some(Spawned { pid, pidfd }))
}

/// Waits for the end of a child, and for nothing else of it.
fn ended(pidfd: &OwnedFd) {
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
}

fn failed(plan: &Plan, failed: Failed) -> io::Error {
    let error = io::Error::from_raw_os_error(failed.errno);
    let step = STEPS.get(usize::from(failed.step)).copied();
    let what = plan.what(step.unwrap_or("its start"));
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// All signals of this thread, held back while this lives: a handler of ours must not run in
/// a process that is about to be another program.
struct Blocked(nix::sys::signal::SigSet);

impl Blocked {
    fn all() -> Self {
        use nix::sys::signal::{SigSet, SigmaskHow};
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
        Self(before.unwrap_or_else(|_| SigSet::empty()))
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.0.thread_set_mask();
    }
}

#[cfg(test)]
mod tests;
