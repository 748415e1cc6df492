//! Signals, sent on behalf of a user: with the rights that kill(2) would give them, though
//! this process may have more.

use std::io;

use rustc_hash::FxHashSet;

use crate::hold::{Held, is_of, result};
use crate::look;
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

/// On whose behalf a signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Who: real, effective and saved user alike.
    pub user: u32,
    /// The session, if it is one of this machine: its processes may be continued, whoever's
    /// they are.
    pub session: Option<u32>,
}

/// Sends `signal` (0: none, only sees whether it could) to process `pid` as its sender may.
///
/// With `start` (as [`Id`](crate::core::Id) has it), only to the process that was forked
/// then. Whoever gets the pid meanwhile gets no signal in either case: the process is held by
/// a descriptor before anything is asked about it.
///
/// # Errors
/// There is no such signal, or the kernel has no pidfds.
pub fn process(pid: u32, start: Option<u64>, signal: i32, by: Sender) -> io::Result<Sent> {
    send(pid, signal, by, |stat| is_of(stat, start))
}

/// Sends `signal` to all processes of a group that its sender may send it to.
///
/// Root's goes to all at once. Anybody else's goes to one after the other, so that a process
/// forked meanwhile may be missed.
///
/// # Errors
/// As for [`process`]; /proc can't be read; the group is 1, which for kill(2) is everybody.
pub fn group(pgid: u32, signal: i32, by: Sender) -> io::Result<Sent> {
    let number = i32::try_from(pgid).ok().filter(|number| *number > 1);
    let Some(number) = number else {
        return Err(io::Error::other("no group that a signal could go to"));
    };
    if by.user == 0 {
        check(signal)?;
        // SAFETY: kill takes numbers only.
        return result(unsafe { libc::kill(-number, signal) }.into());
    }
    let mut all = Several::default();
    all.send(signal, by, |stat| stat.pgid == pgid)?;
    Ok(all.sent())
}

/// Looks for processes of a session that were forked while others were signalled, so often at
/// most: some fork faster than they can be found.
const LOOKS: usize = 8;

/// Sends `signal` to all processes of a session that its sender may send it to.
///
/// The kernel has no call for that: it goes to one after the other, and to who was forked
/// meanwhile then.
///
/// # Errors
/// As for [`process`]; /proc can't be read; the session is 0, which is of the kernel's threads.
pub fn session(sid: u32, signal: i32, by: Sender) -> io::Result<Sent> {
    if sid == 0 {
        return Err(io::Error::other("no session that a signal could go to"));
    }
    let mut all = Several::default();
    for _ in 0..LOOKS {
        if !all.send(signal, by, |stat| stat.sid == sid)? || signal == 0 {
            break;
        }
    }
    Ok(all.sent())
}

/// Processes that a signal goes to one after the other, once to each.
#[derive(Debug, Default)]
struct Several {
    got: FxHashSet<u32>,
    refused: FxHashSet<u32>,
}

impl Several {
    /// To all that are as `wanted`; whether there was anybody new.
    fn send(
        &mut self,
        signal: i32,
        by: Sender,
        wanted: impl Fn(&Stat) -> bool,
    ) -> io::Result<bool> {
        let mut anybody = false;
        for pid in look::pids()? {
            if self.got.contains(&pid) || self.refused.contains(&pid) {
                continue;
            }
            anybody |= match send(pid, signal, by, &wanted)? {
                Sent::Done => self.got.insert(pid),
                Sent::NotPermitted => self.refused.insert(pid),
                Sent::NoProcess => false,
            };
        }
        Ok(anybody)
    }

    fn sent(&self) -> Sent {
        match (self.got.is_empty(), self.refused.is_empty()) {
            (false, _) => Sent::Done,
            (true, false) => Sent::NotPermitted,
            (true, true) => Sent::NoProcess,
        }
    }
}

/// To a process that is as `wanted`.
fn send(pid: u32, signal: i32, by: Sender, wanted: impl FnOnce(&Stat) -> bool) -> io::Result<Sent> {
    check(signal)?;
    let Some(process) = Held::take(pid)? else {
        return Ok(Sent::NoProcess);
    };
    if !wanted(&process.stat) {
        return Ok(Sent::NoProcess);
    }
    if !allowed(by, signal, process.stat.sid, &process.status) {
        return Ok(Sent::NotPermitted);
    }
    process.signal(signal)
}

/// As kill(2) says it, of a sender whose users are all the same.
fn allowed(by: Sender, signal: i32, session: u32, status: &Status) -> bool {
    let own = [status.uid, status.suid].contains(&by.user);
    by.user == 0 || own || signal == libc::SIGCONT && by.session == Some(session)
}

fn check(signal: i32) -> io::Result<()> {
    if (0..=LAST).contains(&signal) {
        return Ok(());
    }
    Err(io::Error::other(format!("there is no signal {signal}")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Child, Command};

    use proptest::prelude::*;

    use super::*;

    use crate::core::State;
    use crate::hold::tick;

    const NOBODY: Sender = Sender {
        user: 65_534,
        session: None,
    };

    fn own() -> Sender {
        Sender {
            user: rustix::process::getuid().as_raw(),
            session: None,
        }
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

    #[test]
    fn a_session_gets_it_whatever_groups_are_in_it() {
        // A leader that has a child in a group of its own, and says so.
        let script = "set -m; sleep 1000 & echo $!; wait";
        let mut leader = Command::new("setsid");
        leader.args(["bash", "-c", script]);
        let mut leader = leader
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("setsid");
        let mut child = String::new();
        let out = leader.stdout.take().expect("piped");
        io::BufRead::read_line(&mut io::BufReader::new(out), &mut child).expect("a line");
        let child: u32 = child.trim().parse().expect("a number");
        let stat = |pid: u32| Stat::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?);
        let sid = leader.id();
        let its = stat(child).expect("it is there");
        assert_eq!((its.sid, its.pgid), (sid, child));
        assert_eq!(session(sid, 9, NOBODY).expect("/proc"), Sent::NotPermitted);
        assert_eq!(session(sid, 0, own()).expect("/proc"), Sent::Done);
        assert_eq!(session(sid, 9, own()).expect("/proc"), Sent::Done);
        assert_eq!(end(leader), Some(9));
        // Its new parent may not have waited for it yet.
        assert!(stat(child).is_none_or(|stat| stat.sid != sid || stat.state == State::Zombie));
        assert!(session(0, 0, own()).is_err());
        assert_eq!(session(u32::MAX, 9, own()).expect("/proc"), Sent::NoProcess);
    }

    #[test]
    fn whoever_stopped_it_in_ones_session_it_may_be_continued() {
        let child = sleeper();
        let stat = fs::read(format!("/proc/{}/stat", child.id())).expect("it is there");
        let session = Stat::parse(&stat).expect("a stat").sid;
        let send = |session, signal| {
            let by = Sender {
                session: Some(session),
                ..NOBODY
            };
            process(child.id(), None, signal, by).expect("a signal")
        };
        assert_eq!(send(session, libc::SIGCONT), Sent::Done);
        assert_eq!(send(session, libc::SIGSTOP), Sent::NotPermitted);
        assert_eq!(send(session + 1, libc::SIGCONT), Sent::NotPermitted);
        assert_eq!(
            process(child.id(), None, 9, own()).expect("a signal"),
            Sent::Done
        );
        assert_eq!(end(child), Some(9));
    }

    proptest! {
        #[test]
        fn root_may_all_and_others_what_is_theirs(
            user in 0_u32..4, uid in 0_u32..4, euid in 0_u32..4, suid in 0_u32..4,
            session in prop::option::of(1_u32..3), sid in 1_u32..3, signal in 0..=LAST,
        ) {
            let status = Status { uid, euid, suid, ..Status::default() };
            let wanted = user == 0
                || [uid, suid].contains(&user)
                || signal == libc::SIGCONT && session == Some(sid);
            prop_assert_eq!(allowed(Sender { user, session }, signal, sid, &status), wanted);
        }
    }
}
