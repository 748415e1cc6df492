//! A daemon goes before what it has started: where processors have more to do than they can,
//! the end of a process is seen, and the next one begins, before others go on; and other nodes
//! have their answers.
//!
//! A thread of the usual policy that wakes waits until whoever runs has had his slice, some
//! milliseconds, whatever the niceness of both; one that asks for a shorter slice doesn't
//! (EEVDF, `PREEMPT_SHORT`, Linux 6.12). It gets no more of a processor by that.

use std::io;
use std::sync::OnceLock;

/// The shortest slice that there is, nanoseconds (`sched_setattr(2)`).
const SLICE: u64 = 100_000;

/// How the thread was scheduled before: what it starts is to be so again.
static BEFORE: OnceLock<libc::sched_attr> = OnceLock::new();

/// Has the calling thread go before others; processes that are started are scheduled as it is
/// now. Older kernels leave it as it is.
///
/// # Errors
/// The kernel refuses. Nothing has changed.
pub fn take() -> io::Result<()> {
    let before = schedule()?;
    if before.sched_policy == libc::SCHED_OTHER as u32 {
        reschedule(&libc::sched_attr {
            sched_runtime: SLICE,
            ..before
        })?;
        BEFORE.get_or_init(|| libc::sched_attr {
            sched_runtime: 0,
            ..before
        });
    }
    Ok(())
}

/// How a process is to be scheduled before it is its program, if otherwise.
#[must_use]
pub fn before() -> Option<&'static libc::sched_attr> {
    BEFORE.get()
}

fn schedule() -> io::Result<libc::sched_attr> {
    // SAFETY: zeros are a valid value of numbers.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    let size = size_of_val(&attr);
    // SAFETY: the kernel writes at most `size` bytes.
    let done = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) };
    (done == 0)
        .then_some(attr)
        .ok_or_else(io::Error::last_os_error)
}

/// Gives up what whoever has started this process has taken.
///
/// # Errors
/// The kernel refuses. Nothing has changed.
pub fn take_none() -> io::Result<()> {
    let found = schedule()?;
    if found.sched_policy == libc::SCHED_OTHER as u32 {
        reschedule(&libc::sched_attr {
            sched_runtime: 0,
            ..found
        })?;
    }
    Ok(())
}

/// Schedules the calling thread so. Makes system calls only.
///
/// # Errors
/// The kernel refuses.
pub fn reschedule(attr: &libc::sched_attr) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as the struct says that it has.
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const *attr, 0) };
    (done == 0)
        .then_some(())
        .ok_or_else(io::Error::last_os_error)
}
