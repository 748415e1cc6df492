//! From a session's child to the user's command.

use std::ffi::c_void;
use std::io;
use std::os::fd::RawFd;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;

use super::exec::Program;
use super::limits;
use crate::core::Limit;
use crate::runner::signals;

/// Everything that a command is to have. Between the fork and the program there are system calls
/// only.
pub(super) struct Birth<'a> {
    pub(super) program: Program,
    /// Its standard streams, as they are called here: none of them is one here.
    pub(super) streams: [RawFd; 3],
    /// The terminal of which it is the foreground, if it is that.
    pub(super) terminal: Option<RawFd>,
    /// It has a session of its own.
    pub(super) detached: bool,
    /// Signals that it ignores.
    pub(super) ignored: u64,
    /// Signals that it would ignore if nothing were done.
    pub(super) inherited: u64,
    pub(super) limits: &'a [Limit],
}

/// It, and what has become of it.
struct Attempt<'a, 'b> {
    birth: &'a mut Birth<'b>,
    failed: Option<i32>,
}

impl Birth<'_> {
    /// Starts the command. Returns when its program runs.
    ///
    /// # Errors
    /// It can't be started, or is no program.
    pub(super) fn give(mut self) -> io::Result<Pid> {
        let mut attempt = Attempt {
            birth: &mut self,
            failed: None,
        };
        // SAFETY: what runs makes system calls only, on its own descriptors first of all, and
        // ends in one; an attempt lives here until then. All signals are blocked that have a
        // handler, but for those of faults.
        let (pid, _) = unsafe { ssi_spawn::clone(None, run, (&raw mut attempt).cast())? };
        let pid = Pid::from_raw(pid.cast_signed());
        match attempt.failed {
            None => Ok(pid),
            Some(errno) => {
                let _ = nix::sys::wait::waitpid(pid, None);
                Err(io::Error::from_raw_os_error(errno))
            }
        }
    }

    /// In the child: becomes the command. Why not, if it can't.
    fn become_it(&mut self) -> i32 {
        // SAFETY: system calls on plain values; the descriptors are open, and this process has
        // a table of its own from the first of them on.
        unsafe {
            let own = libc::CLOSE_RANGE_UNSHARE | libc::CLOSE_RANGE_CLOEXEC;
            if libc::syscall(libc::SYS_close_range, 3, u32::MAX, own) < 0 {
                return Errno::last_raw();
            }
            for (stream, number) in self.streams.into_iter().zip(0..) {
                if libc::dup2(stream, number) < 0 {
                    return Errno::last_raw();
                }
            }
            if self.detached {
                if libc::setsid() < 0 {
                    return Errno::last_raw();
                }
            } else {
                // A group of its own in our session: so it is no orphan, and can be stopped.
                if libc::setpgid(0, 0) < 0 {
                    return Errno::last_raw();
                }
                // SIGTTOU, which would stop us, is still blocked.
                if let Some(terminal) = self.terminal
                    && libc::tcsetpgrp(terminal, libc::getpid()) < 0
                {
                    return Errno::last_raw();
                }
                // Should this session be killed, as if a terminal hung up.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGHUP);
            }
        }
        signals::ignore_instead(self.inherited, self.ignored);
        if let Err(error) = limits::set(self.limits) {
            return error.raw_os_error().unwrap_or(libc::EINVAL);
        }
        self.program.execute()
    }
}

/// What the child does.
extern "C" fn run(attempt: *mut c_void) -> libc::c_int {
    // SAFETY: it is an Attempt, which whoever has made this process does not touch until then.
    let attempt = unsafe { &mut *attempt.cast::<Attempt<'_, '_>>() };
    attempt.failed = Some(attempt.birth.become_it());
    // SAFETY: ends this process, and runs nothing of its parent's.
    unsafe { libc::_exit(127) }
}
