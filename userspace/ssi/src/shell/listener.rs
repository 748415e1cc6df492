//! The kernel's side of calls that somebody else answers (seccomp_unotify(2), Linux 5.0).

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use nix::libc::{self, seccomp_notif, seccomp_notif_resp, sock_filter, sock_fprog};

use super::call::Returned;

/// Where the calls of all who have the filter arrive.
#[derive(Debug)]
pub(super) struct Listener(OwnedFd);

/// A call that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    id: u64,
    /// The thread that called, by its number here.
    pub(super) thread: u32,
    pub(super) number: i64,
    pub(super) args: [u64; 6],
}

/// Puts the filter on this thread, and all that it starts: who wants that for good, needs
/// CAP_SYS_ADMIN in its user namespace.
///
/// # Errors
/// Linux is older than 5.0 (EINVAL); something above this has such a filter already (EBUSY).
pub(super) fn install(program: &[sock_filter]) -> io::Result<Listener> {
    let program = sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast_mut(),
    };
    let listening = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Who waits is not to be interrupted by a signal and to call again: it would be done twice.
    // Linux 5.19.
    let once = listening | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    match filter(&program, once) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => filter(&program, listening),
        installed => installed,
    }
}

fn filter(program: &sock_fprog, flags: libc::c_ulong) -> io::Result<Listener> {
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: the program lives as long as the call, which copies it.
    let fd = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const *program) };
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us.
    Ok(Listener(unsafe { OwnedFd::from_raw_fd(fd) }))
}

impl Listener {
    /// The next call; none if its thread is gone already.
    pub(super) fn next(&self) -> io::Result<Option<Waiting>> {
        // SAFETY: plain numbers; the kernel wants them 0.
        let mut call: seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the structure is of the kind that the request is for, and lives as long.
        let done = unsafe { self.control(libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
        match done {
            Ok(()) => Ok(Some(Waiting {
                id: call.id,
                thread: call.pid,
                number: call.data.nr.into(),
                args: call.data.args,
            })),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the call still waits, so that what was seen of its thread's number was its.
    pub(super) fn waits(&self, call: &Waiting) -> bool {
        let mut id = call.id;
        // SAFETY: as the kernel wants it: a number.
        unsafe { self.control(libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw mut id) }.is_ok()
    }

    /// Answers it; who is gone gets no answer.
    pub(super) fn answer(&self, call: &Waiting, returned: Returned) {
        let mut answer = seccomp_notif_resp {
            id: call.id,
            val: returned.unwrap_or(0),
            error: returned.err().map_or(0, |why| -why),
            flags: 0,
        };
        // SAFETY: as above.
        let _ = unsafe { self.control(libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
    }

    /// # Safety
    /// `argument` is of the kind that the request is for.
    unsafe fn control<T>(&self, request: libc::Ioctl, argument: *mut T) -> io::Result<()> {
        // SAFETY: the caller says so.
        match unsafe { libc::ioctl(self.0.as_raw_fd(), request, argument) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
