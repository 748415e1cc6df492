//! What a process does between its birth and its program. It has a copy of a process with
//! threads, whose locks may be taken for ever: so it makes system calls, and nothing else.

use std::os::fd::RawFd;
use std::ptr;

use super::Plan;

/// The steps that can fail, by name.
pub(super) const STEPS: [&str; 10] = [
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
];

/// Which step failed, and how.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Failed {
    pub(super) errno: i32,
    pub(super) step: u8,
}

impl Failed {
    pub(super) const fn from_bytes(bytes: [u8; size_of::<Self>()]) -> Self {
        let [a, b, c, d, step, ..] = bytes;
        Self {
            errno: i32::from_ne_bytes([a, b, c, d]),
            step,
        }
    }

    const fn to_bytes(self) -> [u8; size_of::<Self>()] {
        let [a, b, c, d] = self.errno.to_ne_bytes();
        [a, b, c, d, self.step, 0, 0, 0]
    }
}

fn tell(tells: RawFd, word: Failed) {
    let word = word.to_bytes();
    // SAFETY: the bytes live until the write returns.
    unsafe { libc::write(tells, word.as_ptr().cast(), word.len()) };
}

/// Tells that it lives, then becomes the program, or tells why not and ends.
pub(super) fn run(plan: &Plan, procs: Option<RawFd>, tells: RawFd) -> ! {
    tell(tells, Failed { errno: 0, step: 0 });
    let step = steps(plan, procs);
    // SAFETY: errno is this thread's own; the end of a process is a system call.
    unsafe {
        let errno = *libc::__errno_location();
        tell(tells, Failed { errno, step });
        libc::_exit(127)
    }
}

/// Answers the number of the step that failed.
fn steps(plan: &Plan, procs: Option<RawFd>) -> u8 {
    let identity = &plan.identity;
    // SAFETY: each call is a system call, or a wrapper around one that takes no lock; all
    // pointers are to memory of the plan, which this process has a copy of.
    unsafe {
        // No handler of ours, and nothing ignored that the program may count on.
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        if let Some(procs) = procs
            && libc::write(procs, c"0".as_ptr().cast(), 1) < 0
        {
            return 9;
        }
        libc::umask(0o022);
        if libc::setsid() < 0 {
            return 0;
        }
        for (to, from) in (0..).zip(plan.stdio()) {
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
        let all = libc::c_uint::MAX;
        if libc::syscall(libc::SYS_close_range, 3, all, libc::CLOSE_RANGE_CLOEXEC) < 0 {
            return 7;
        }
        libc::execve(plan.path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr());
        8
    }
}
