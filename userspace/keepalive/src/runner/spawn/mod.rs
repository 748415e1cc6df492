//! Starts a process: at once in its cgroup, and held by a descriptor from its first moment.
//!
//! Everything that can be prepared is, before the process is there: between clone3(2) and
//! execve(2) it makes system calls only, with what it finds ready ([`child`]).

mod child;
mod plan;
mod signals;
mod slots;

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use rustix::process::{
    DumpableBehavior, WaitId, WaitIdOptions, dumpable_behavior, set_dumpable_behavior, waitid,
};

pub(crate) use self::child::NOTIFY;
use self::child::{Birth, Descriptors, Failed, STEPS};
pub(crate) use self::plan::Plan;
pub(crate) use self::slots::Slots;
use super::cgroup::Seat;
use super::local::now;
use super::past::TICK;

/// A process that was started.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
    /// Its end is remembered: it has entered itself into the map.
    pub(crate) entered: bool,
    /// When it was forked, as [`Main`](crate::core::Main) has it, if the clock says so.
    pub(crate) start: Option<u64>,
}

/// Starts a process in a cgroup.
///
/// Waits until its program runs, or can't. What hangs meanwhile (a file server that doesn't
/// answer) hangs the caller.
pub(crate) fn spawn(plan: &Plan, seat: &Seat, slots: &mut Slots) -> io::Result<Spawned> {
    if ssi_spawn::INTO_CGROUP
        && let Some(spawned) = attempt(plan, seat, slots, Join::AtBirth)?
    {
        return Ok(spawned);
    }
    // Where the parent's own cgroup was killed once, some kernels kill what is cloned
    // into any other (see Cgroup::make). Moving into it is slower, and always works.
    attempt(plan, seat, slots, Join::ByItself)?
        .ok_or_else(|| io::Error::other("it was killed before its program ran"))
}

/// How a process comes into its cgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    AtBirth,
    ByItself,
}

/// None: it was killed before its program ran.
fn attempt(plan: &Plan, seat: &Seat, slots: &mut Slots, join: Join) -> io::Result<Option<Spawned>> {
    let procs = match join {
        Join::AtBirth => None,
        Join::ByItself => Some(seat.procs()?),
    };
    slots.clear();
    let log = slots.put(&plan.log)?;
    let joins = procs.iter().chain(&seat.more);
    let joins: io::Result<Vec<_>> = joins.map(|procs| slots.put(procs)).collect();
    let descriptors = Descriptors {
        stdio: [slots.null(), log, log],
        joins: joins?,
        notify: plan
            .notify
            .as_ref()
            .map(|socket| slots.put(socket))
            .transpose()?,
        map: slots.map(),
        end: slots.end(),
    };
    let cgroup = (join == Join::AtBirth).then(|| seat.folder.as_raw_fd());
    let signals = match join {
        Join::AtBirth => signals::ignored(),
        Join::ByItself => signals::all(),
    };
    let birth = Birth::new(plan, descriptors, signals);
    let dumpable = dumpable_behavior();
    let blocked = Blocked::all();
    let before = ticks();
    // SAFETY: the child makes system calls only, and ends in one; it gets a Birth, which lives
    // until it has become its program; all signals are held back.
    let cloned =
        unsafe { ssi_spawn::clone(cgroup, child::run, (&raw const birth).cast_mut().cast()) };
    let after = ticks();
    drop(blocked);
    // The kernel takes it from a memory in which somebody has changed users.
    if let (Ok(DumpableBehavior::Dumpable), Ok(DumpableBehavior::NotDumpable)) =
        (dumpable, dumpable_behavior())
    {
        let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    }
    let (pid, pidfd) = cloned.map_err(|error| {
        io::Error::new(error.kind(), format!("no process could be made: {error}"))
    })?;
    match birth.outcome() {
        None => {
            ended(&pidfd);
            Ok(None)
        }
        Some(Err(failure)) => {
            ended(&pidfd);
            Err(failed(plan, failure))
        }
        Some(Ok(())) => Ok(Some(Spawned {
            pid,
            pidfd,
            entered: birth.entered(),
            start: (before == after).then_some(before),
        })),
    }
}

/// The moment, as /proc tells that of a fork.
fn ticks() -> u64 {
    now().0 / TICK
}

/// Waits for the end of a child, and for nothing else of it.
fn ended(pidfd: &OwnedFd) {
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
}

fn failed(plan: &Plan, failed: Failed) -> io::Error {
    let error = io::Error::from_raw_os_error(failed.errno);
    let step = STEPS.get(failed.step).copied();
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
