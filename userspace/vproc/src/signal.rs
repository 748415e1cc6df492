//! Signals, sent on behalf of a user: with the rights that kill(2) would give them, though
//! this process may have more.
//!
//! What is left out of kill(2): SIGCONT to any process of one's own session.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::procfs::{Stat, Status};

/// The largest number of a signal.
pub const LAST: i32 = 64;

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was sent; to a group: to one process of it at least.
    Done,
    /// There is no such process, or group.
    NoProcess,
    /// The user may not.
    NotPermitted,
}

/// Sends `signal` (0: none, only sees whether it could) to process `pid` as `user` may.
///
/// With `start` (as [`Id`](crate::core::Id) has it), only to the process that was forked
/// then. Whoever gets the pid meanwhile gets no signal in either case: the process is held by
/// a descriptor before anything is asked about it.
///
/// # Errors
/// There is no such signal, or the kernel has no pidfds.
pub fn process(pid: u32, start: Option<u64>, signal: i32, user: u32) -> io::Result<Sent> {
    send(pid, signal, user, |stat| {
        start.is_none_or(|start| start / tick() == stat.start)
    })
}

/// Sends `signal` to all processes of a group that `user` may send it to.
///
/// Root's goes to all at once. Anybody else's goes to one after the other, so that a process
/// forked meanwhile may be missed.
///
/// # Errors
/// As for [`process`]; /proc can't be read; the group is 1, which for kill(2) is everybody.
pub fn group(pgid: u32, signal: i32, user: u32) -> io::Result<Sent> {
    let number = i32::try_from(pgid).ok().filter(|number| *number > 1);
    let Some(number) = number else {
        return Err(io::Error::other("no group that a signal could go to"));
    };
    if user == 0 {
        check(signal)?;
        // SAFETY: kill takes numbers only.
        return result(unsafe { libc::kill(-number, signal) }.into());
    }
    let mut sent = Sent::NoProcess;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match send(pid, signal, user, |stat| stat.pgid == pgid)? {
            Sent::Done => sent = Sent::Done,
            Sent::NotPermitted if sent == Sent::NoProcess => sent = Sent::NotPermitted,
            _ => {}
        }
    }
    Ok(sent)
}

/// To a process that is as `wanted`.
fn send(pid: u32, signal: i32, user: u32, wanted: impl FnOnce(&Stat) -> bool) -> io::Result<Sent> {
    check(signal)?;
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(number) = number else {
        return Ok(Sent::NoProcess);
    };
    let process = match pidfd_open(number, PidfdFlags::empty()) {
        Ok(process) => process,
        // The number of a thread that is no process is not one of a process.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(Sent::NoProcess),
        Err(error) => return Err(error.into()),
    };
    let stat = fs::read(format!("/proc/{pid}/stat"));
    let status = fs::read(format!("/proc/{pid}/status"));
    // What was read is of this process and no later one if it has its number still.
    if through(process.as_fd(), 0)? == Sent::NoProcess {
        return Ok(Sent::NoProcess);
    }
    let stat = Stat::parse(&stat?).ok_or_else(strange)?;
    let status = Status::parse(&status?).ok_or_else(strange)?;
    if !wanted(&stat) {
        return Ok(Sent::NoProcess);
    }
    if !may(user, &status) {
        return Ok(Sent::NotPermitted);
    }
    through(process.as_fd(), signal)
}

/// As kill(2) says it, of a sender whose users are all the same.
fn may(user: u32, to: &Status) -> bool {
    user == 0 || user == to.uid || user == to.suid
}

fn through(process: BorrowedFd<'_>, signal: i32) -> io::Result<Sent> {
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

fn result(done: libc::c_long) -> io::Result<Sent> {
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

fn check(signal: i32) -> io::Result<()> {
    if (0..=LAST).contains(&signal) {
        return Ok(());
    }
    Err(io::Error::other(format!("there is no signal {signal}")))
}

/// Nanoseconds of a clock tick, in which /proc has the start.
fn tick() -> u64 {
    1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

fn strange() -> io::Error {
    io::Error::other("/proc says what is not understood")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Child, Command};

    use proptest::prelude::*;

    use super::*;

    const NOBODY: u32 = 65_534;

    fn own() -> u32 {
        rustix::process::getuid().as_raw()
    }

    /// A process in a group of its own.
    fn sleeper() -> Child {
        let mut sleep = Command::new("sleep");
        sleep.arg("1000").process_group(0);
        sleep.spawn().expect("sleep")
    }

    fn end(mut child: Child) -> Option<i32> {
        child.wait().expect("wait").signal()
    }

    fn start_of(pid: u32) -> u64 {
        let stat = fs::read(format!("/proc/{pid}/stat")).expect("it is there");
        Stat::parse(&stat).expect("a stat").start * tick()
    }

    #[test]
    fn a_process_gets_it_once_it_is_surely_the_one() {
        let child = sleeper();
        let pid = child.id();
        let start = start_of(pid);
        let send = |start, signal, user| process(pid, start, signal, user).expect("a signal");
        assert_eq!(send(None, 0, own()), Sent::Done);
        assert_eq!(send(Some(start), 0, own()), Sent::Done);
        assert_eq!(send(Some(start + tick() - 1), 0, own()), Sent::Done);
        // An earlier process of this number was meant.
        assert_eq!(send(Some(start - tick()), 9, own()), Sent::NoProcess);
        assert_eq!(send(None, 9, NOBODY), Sent::NotPermitted);
        assert!(process(pid, None, 65, own()).is_err());
        assert!(process(pid, None, -1, own()).is_err());
        assert_eq!(send(Some(start), 34, own()), Sent::Done);
        assert_eq!(end(child), Some(34));
        assert_eq!(send(None, 0, own()), Sent::NoProcess);
        assert_eq!(
            process(u32::MAX, None, 0, own()).expect("a signal"),
            Sent::NoProcess
        );
    }

    #[test]
    fn a_group_gets_it_as_far_as_the_user_may() {
        let child = sleeper();
        let pgid = child.id();
        assert_eq!(group(pgid, 15, NOBODY).expect("/proc"), Sent::NotPermitted);
        assert_eq!(group(pgid, 0, own()).expect("/proc"), Sent::Done);
        assert_eq!(group(pgid, 15, own()).expect("/proc"), Sent::Done);
        assert_eq!(end(child), Some(15));
        assert_eq!(group(pgid, 15, own()).expect("/proc"), Sent::NoProcess);
        for nobody in [0, 1, u32::MAX] {
            assert!(group(nobody, 0, own()).is_err());
        }
    }

    proptest! {
        #[test]
        fn root_may_all_and_others_what_is_theirs(user: u32, uid in 0_u32..4, euid in 0_u32..4, suid in 0_u32..4) {
            let user = user % 4;
            let to = Status { uid, euid, suid, ..Status::default() };
            prop_assert_eq!(may(user, &to), user == 0 || [uid, suid].contains(&user));
        }
    }
}
