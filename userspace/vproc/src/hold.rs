//! A process held by a descriptor, so that what is said of it and what is done to it are of the
//! same.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::procfs::{Stat, Status};
use crate::signal::Sent;

/// A process, and how it was when it was taken hold of.
pub(crate) struct Held {
    process: OwnedFd,
    pub(crate) stat: Stat,
    pub(crate) status: Status,
}

impl Held {
    /// Takes hold of who has the number now; `None`: nobody.
    pub(crate) fn take(pid: u32) -> io::Result<Option<Self>> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let Some(number) = number else {
            return Ok(None);
        };
        let process = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(process) => process,
            // The number of a thread that is no process is not one of a process.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let stat = fs::read(format!("/proc/{pid}/stat"));
        let status = fs::read(format!("/proc/{pid}/status"));
        // What was read is of this process and no later one if it has its number still.
        if through(&process, 0)? == Sent::NoProcess {
            return Ok(None);
        }
        Ok(Some(Self {
            process,
            stat: Stat::parse(&stat?).ok_or_else(strange)?,
            status: Status::parse(&status?).ok_or_else(strange)?,
        }))
    }

    /// Sends it a signal, with our own rights.
    pub(crate) fn signal(&self, signal: i32) -> io::Result<Sent> {
        through(&self.process, signal)
    }
}

/// Whether this is the process that was forked at `start` (as [`Id`](crate::core::Id) has it),
/// if that was said.
pub(crate) fn is_of(stat: &Stat, start: Option<u64>) -> bool {
    start.is_none_or(|start| start / tick() == stat.start)
}

/// What became of a signal, from what the system call returned.
pub(crate) fn result(done: libc::c_long) -> io::Result<Sent> {
    if done == 0 {
        return Ok(Sent::Done);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ESRCH) => Ok(Sent::NoProcess),
        Some(libc::EPERM) => Ok(Sent::NotPermitted),
        _ => Err(error),
    }
}

fn through(process: &OwnedFd, signal: i32) -> io::Result<Sent> {
    let info = std::ptr::null::<libc::siginfo_t>();
    // Neither rustix nor nix send signal 0 or those of real time so.
    // SAFETY: the descriptor is open; without information the kernel reads no memory of ours.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            info,
            0,
        )
    };
    result(done)
}

/// Nanoseconds of a clock tick, in which /proc has the start.
pub(crate) fn tick() -> u64 {
    1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

fn strange() -> io::Error {
    io::Error::other("/proc says what is not understood")
}
