//! What a process does between its birth and its program. It has the memory of a process with
//! threads, whose locks may be taken for ever: so it makes system calls, and nothing else.

use ssi_spawn::precedence::reschedule;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use ssi_loader::{enter, leave};

use super::Plan;

/// The steps that can fail, by name.
pub(super) const STEPS: [&str; 11] = [
    "setsid",
    "standard input and output",
    "rlimits",
    "setgroups",
    "setresgid",
    "setresuid",
    "chdir",
    "its descriptors",
    "execve",
    "cgroup.procs",
    "sched_setattr",
];

/// The number of the descriptor by which a process holds the socket that it speaks to its
/// supervisor by. Out of the way: shells and programs number their own from below.
pub(crate) const NOTIFY: RawFd = 100;

/// It has not begun: whoever is killed at birth leaves it so.
const UNBORN: usize = usize::MAX;
/// No step has failed.
const WELL: usize = usize::MAX - 1;

/// Which step failed, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) errno: i32,
    pub(super) step: usize,
}

/// The numbers of descriptors that a process has from us.
pub(super) struct Descriptors {
    /// To be its standard input, output and error.
    pub(super) stdio: [RawFd; 3],
    /// What it writes 0 to, to join cgroups.
    pub(super) joins: Vec<RawFd>,
    /// To be its [`NOTIFY`].
    pub(super) notify: Option<RawFd>,
    /// The map that it enters itself into.
    pub(super) map: Option<RawFd>,
    /// All are below this.
    pub(super) end: RawFd,
}

/// What a process is born with, and what it leaves in the memory that it shares with us.
pub(super) struct Birth<'a> {
    plan: &'a Plan,
    descriptors: Descriptors,
    /// Signals that are not as a program expects them.
    signals: &'a [libc::c_int],
    step: AtomicUsize,
    errno: AtomicI32,
    entered: AtomicBool,
}

impl<'a> Birth<'a> {
    pub(super) const fn new(
        plan: &'a Plan,
        descriptors: Descriptors,
        signals: &'a [libc::c_int],
    ) -> Self {
        Self {
            plan,
            descriptors,
            signals,
            step: AtomicUsize::new(UNBORN),
            errno: AtomicI32::new(0),
            entered: AtomicBool::new(false),
        }
    }

    /// Whether it is in the map of those whose end is remembered.
    pub(super) fn entered(&self) -> bool {
        self.entered.load(Ordering::Acquire)
    }

    /// None: it was killed before it did anything.
    pub(super) fn outcome(&self) -> Option<Result<(), Failed>> {
        match self.step.load(Ordering::Acquire) {
            UNBORN => None,
            WELL => Some(Ok(())),
            step => {
                let errno = self.errno.load(Ordering::Acquire);
                Some(Err(Failed { errno, step }))
            }
        }
    }
}

/// Becomes the program, or leaves word why not and ends. Gets a [`Birth`].
pub(super) extern "C" fn run(birth: *mut c_void) -> libc::c_int {
    // SAFETY: it lives until this process has another memory, or none.
    let birth = unsafe { &*birth.cast_const().cast::<Birth<'_>>() };
    birth.step.store(WELL, Ordering::Release);
    let map = birth.descriptors.map;
    // Before anything of it can be seen: from here on it is known which run it is.
    // SAFETY: the map is the one that supervision remembers ends by.
    let entered = map.is_some_and(|map| unsafe { enter(map, birth.plan.mark) });
    birth.entered.store(entered, Ordering::Release);
    let step = steps(birth.plan, &birth.descriptors, birth.signals);
    // SAFETY: errno is that of the thread that stands still; the end of a process is a system
    // call; the map is as above.
    unsafe {
        let errno = *libc::__errno_location();
        birth.errno.store(errno, Ordering::Release);
        birth.step.store(step, Ordering::Release);
        // Nothing ran, so there is no end of it to be known.
        if let Some(map) = map {
            leave(map);
        }
        libc::_exit(127)
    }
}

/// Answers the number of the step that failed.
fn steps(plan: &Plan, descriptors: &Descriptors, signals: &[libc::c_int]) -> usize {
    let identity = &plan.identity;
    // SAFETY: each call is a system call, or a wrapper around one that takes no lock; all
    // pointers are to memory of the plan, or of this function.
    unsafe {
        // From here on it has descriptors of its own: copies of those that it needs.
        let (all, own) = (libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
        if libc::syscall(libc::SYS_close_range, descriptors.end, all, own) < 0 {
            return 7;
        }
        // No handler of ours, and nothing ignored that the program may count on. The kernel's
        // own struct of zeros is SIG_DFL; the library's calls take a lock.
        let default = [0_u64; 4];
        for &signal in signals {
            let none = ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, 8);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        for procs in &descriptors.joins {
            if libc::write(*procs, c"0".as_ptr().cast(), 1) < 0 {
                return 9;
            }
        }
        libc::umask(0o022);
        if libc::setsid() < 0 {
            return 0;
        }
        for (to, from) in (0..).zip(descriptors.stdio) {
            if libc::dup2(from, to) < 0 {
                return 1;
            }
        }
        for (resource, limit) in &plan.rlimits {
            let none = ptr::null_mut::<libc::rlimit64>();
            let limit: *const libc::rlimit64 = limit;
            if libc::syscall(libc::SYS_prlimit64, 0, *resource, limit, none) < 0 {
                return 2;
            }
        }
        // glibc's wrappers would ask all threads to do the same, and they aren't here.
        let groups = &identity.groups;
        if libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) < 0 {
            return 3;
        }
        let gid = identity.gid;
        if libc::syscall(libc::SYS_setresgid, gid, gid, gid) < 0 {
            return 4;
        }
        let uid = identity.uid;
        if libc::syscall(libc::SYS_setresuid, uid, uid, uid) < 0 {
            return 5;
        }
        if libc::chdir(plan.cwd.as_ptr()) < 0 {
            return 6;
        }
        if libc::syscall(libc::SYS_close_range, 3, all, libc::CLOSE_RANGE_CLOEXEC) < 0 {
            return 7;
        }
        if let Some(notify) = descriptors.notify
            && libc::dup2(notify, NOTIFY) < 0
        {
            return 7;
        }
        // Only now: until here it goes before others, too.
        if let Some(schedule) = plan.schedule
            && reschedule(schedule).is_err()
        {
            return 10;
        }
        libc::execve(plan.path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr());
        8
    }
}
