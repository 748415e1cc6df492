//! Niceness, changed on behalf of a user: with the rights that setpriority(2) gives them, as
//! the kernel itself decides.

use std::fs;
use std::io;

use crate::apart::apart;
use crate::hold::{Held, is_of};
use crate::signal::Sent;

/// What the niceness shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This.
    To(i32),
    /// So much more than it is.
    By(i32),
}

impl Change {
    /// From what it is: within the kernel's bounds, −20 to 19.
    #[must_use]
    pub fn from(self, now: i32) -> i32 {
        match self {
            Self::To(nice) => nice,
            Self::By(more) => now.saturating_add(more),
        }
        .clamp(-20, 19)
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was changed, or is as it was wanted anyhow.
    Done {
        /// What it was.
        old: i32,
        /// What it is.
        new: i32,
    },
    /// There is no such process.
    NoProcess,
    /// It is another user's.
    NotPermitted,
    /// The user may not lower it so far (`RLIMIT_NICE` of the process).
    NotLower,
}

/// Changes the niceness of a process, all its threads, as `user` may.
///
/// With `start` (as [`Id`](crate::core::Id) has it), only of the process that was forked then.
/// The kernel takes numbers only, so that a process which gets the number in the microseconds
/// after that was seen is changed instead, if the user may do that.
///
/// # Errors
/// /proc can't be read; we can't act on behalf of others.
pub fn process(pid: u32, start: Option<u64>, change: Change, user: u32) -> io::Result<Changed> {
    apart(move || as_user(pid, start, change, user))
}

fn as_user(pid: u32, start: Option<u64>, change: Change, user: u32) -> io::Result<Changed> {
    let Some(process) = Held::take(pid)?.filter(|process| is_of(&process.stat, start)) else {
        return Ok(Changed::NoProcess);
    };
    let old = process.stat.nice;
    let new = change.from(old);
    let threads: Vec<u32> = fs::read_dir(format!("/proc/{pid}/task"))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    become_effectively(user)?;
    // The first is as all: who may not, changes none.
    if let Some(refused) = set(pid, new)? {
        return Ok(refused);
    }
    for thread in threads.into_iter().filter(|thread| *thread != pid) {
        // It may have ended meanwhile.
        set(thread, new)?;
    }
    Ok(match process.signal(0) {
        Ok(Sent::NoProcess) => Changed::NoProcess,
        _ => Changed::Done { old, new },
    })
}

/// This thread's effective user. Its real and its saved user stay, so that no user may signal
/// or trace it; with the effective user its effective capabilities go.
fn become_effectively(user: u32) -> io::Result<()> {
    if rustix::process::geteuid().as_raw() == user {
        return Ok(());
    }
    const AS_IT_IS: libc::c_long = -1;
    // The C library's function would change all threads.
    // SAFETY: the call takes numbers only.
    let done = unsafe {
        libc::syscall(
            libc::SYS_setresuid,
            AS_IT_IS,
            libc::c_long::from(user),
            AS_IT_IS,
        )
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets a thread's niceness; why not, if it was refused.
fn set(thread: u32, nice: i32) -> io::Result<Option<Changed>> {
    // SAFETY: the call takes numbers only.
    let done = unsafe { libc::setpriority(libc::PRIO_PROCESS, thread, nice) };
    if done == 0 {
        return Ok(None);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ESRCH) => Ok(Some(Changed::NoProcess)),
        Some(libc::EPERM) => Ok(Some(Changed::NotPermitted)),
        Some(libc::EACCES) => Ok(Some(Changed::NotLower)),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use proptest::prelude::*;

    use super::*;
    use crate::hold::tick;

    const NOBODY: u32 = 65_534;

    fn sleeper(user: u32) -> Child {
        Command::new("sleep")
            .arg("1000")
            .uid(user)
            .spawn()
            .expect("sleep")
    }

    fn end(mut child: Child) {
        child.kill().expect("it is ours");
        child.wait().expect("wait");
    }

    #[test]
    fn users_may_what_the_kernel_lets_them() {
        let own = rustix::process::geteuid().as_raw();
        let child = sleeper(own);
        let pid = child.id();
        let change = |change, user| process(pid, None, change, user).expect("it goes");
        let done = |old, new| Changed::Done { old, new };
        let old = Held::take(pid)
            .expect("/proc")
            .expect("it is there")
            .stat
            .nice;
        assert_eq!(change(Change::To(old + 1), own), done(old, old + 1));
        assert_eq!(change(Change::By(1), own), done(old + 1, old + 2));
        let stat = Held::take(pid).expect("/proc").expect("it is there").stat;
        let start = stat.start * tick();
        let by = |start| process(pid, Some(start), Change::By(1), own).expect("it goes");
        assert_eq!(by(start - tick()), Changed::NoProcess);
        assert_eq!(by(start), done(old + 2, old + 3));
        if own == 0 {
            assert_eq!(change(Change::To(19), NOBODY), Changed::NotPermitted);
            let theirs = sleeper(NOBODY);
            let change = |to| process(theirs.id(), None, Change::To(to), NOBODY).expect("it goes");
            assert_eq!(change(old + 5), done(old, old + 5));
            assert_eq!(change(-20), Changed::NotLower);
            end(theirs);
        }
        end(child);
        assert_eq!(change(Change::To(19), own), Changed::NoProcess);
        // Only the thread that changed had another user's rights.
        assert_eq!(rustix::process::geteuid().as_raw(), own);
    }

    proptest! {
        #[test]
        fn any_change_is_within_bounds(by: i32, now in -20..20) {
            prop_assert!((-20..20).contains(&Change::By(by).from(now)));
            prop_assert!((-20..20).contains(&Change::To(by).from(now)));
        }
    }
}
