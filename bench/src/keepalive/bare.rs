//! Starting processes and doing nothing else, in the two ways that there are.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::ptr;

use anyhow::Result;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

/// How a process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    /// fork(2), and execve(2) in the child.
    Fork,
    /// posix_spawn(3): the child has the parent's memory until execve(2), so nothing of it is
    /// copied.
    Spawn,
}

/// Some processes; killed when this goes.
#[derive(Debug, Default)]
pub(super) struct Started(Vec<Pid>);

impl Bare {
    /// Starts so many, one after the other.
    pub(super) fn start(self, program: &Path, count: u32) -> Result<Started> {
        let name = CString::new(program.as_os_str().as_bytes())?;
        let args = [name.as_ptr(), ptr::null()];
        let none = [ptr::null()];
        let mut started = Started::default();
        for _ in 0..count {
            let pid = match self {
                Self::Spawn => Pid::from_raw(Command::new(program).spawn()?.id().cast_signed()),
                // SAFETY: the child makes a system call and ends, whatever locks others held.
                Self::Fork => match unsafe { fork() }? {
                    ForkResult::Parent { child } => child,
                    ForkResult::Child => {
                        // SAFETY: the strings are terminated, the lists end with a null.
                        unsafe {
                            libc::execve(name.as_ptr(), args.as_ptr(), none.as_ptr());
                            libc::_exit(127)
                        }
                    }
                },
            };
            started.0.push(pid);
        }
        Ok(started)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill(*pid, Signal::SIGKILL);
            let _ = waitpid(*pid, None);
        }
    }
}
