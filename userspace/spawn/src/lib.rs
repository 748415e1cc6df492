//! A process that has our memory until it becomes its program, and we stand still until then:
//! as posix_spawn(3) does it. What a fork costs grows with the memory of whoever forks; this
//! costs the same always.

pub mod precedence;

use std::ffi::c_void;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

/// Of linux/sched.h; libc's constants are too narrow for them. The first: signals that have
/// handlers have none in the new process (Linux 5.5).
#[cfg(target_arch = "x86_64")]
const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
#[cfg(target_arch = "x86_64")]
const CLONE_INTO_CGROUP: u64 = 1 << 33;
const FLAGS: libc::c_int =
    libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::CLONE_PIDFD;

/// What it runs on, in units of 16 bytes: 64 KiB, of which it touches one or two pages.
const STACK: usize = 4096;

/// What the new process does; it gets the last argument of [`clone()`].
pub type Child = extern "C" fn(*mut c_void) -> libc::c_int;

/// Whether a process can be made at once in a cgroup, on this processor.
pub const INTO_CGROUP: bool = cfg!(target_arch = "x86_64");

/// Makes one, in a cgroup if there is one (Linux 5.7). Returns when it has become its program, or
/// ended: its number, and a descriptor of it.
///
/// # Errors
/// No process can be made.
///
/// # Safety
/// `child` has our descriptors, so it does nothing to them before it has made them its own
/// (`CLOSE_RANGE_UNSHARE`). It doesn't return, takes no lock, allocates nothing, and `data` is what it expects.
/// No handler of a signal may run in it.
pub unsafe fn clone(
    cgroup: Option<RawFd>,
    child: Child,
    data: *mut c_void,
) -> io::Result<(u32, OwnedFd)> {
    let mut stack = Vec::<u128>::with_capacity(STACK);
    let mut pidfd: libc::c_int = -1;
    // SAFETY: the caller's promise; the stack lives until the call returns, and then nobody
    // is on it any more.
    let pid = unsafe {
        match cgroup {
            #[cfg(target_arch = "x86_64")]
            Some(cgroup) => clone3(cgroup, &mut stack, &mut pidfd, child, data),
            #[cfg(not(target_arch = "x86_64"))]
            Some(_) => return Err(io::ErrorKind::Unsupported.into()),
            None => {
                let top = stack.as_mut_ptr().add(STACK).cast();
                let flags = FLAGS | libc::SIGCHLD;
                libc::clone(child, top, flags, data, &raw mut pidfd).into()
            }
        }
    };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just put an open descriptor there, and it is nobody else's.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok((u32::try_from(pid).map_err(io::Error::other)?, pidfd))
}

/// clone3(2), which libraries don't offer with a stack of its own. Sets errno.
#[cfg(target_arch = "x86_64")]
unsafe fn clone3(
    cgroup: RawFd,
    stack: &mut Vec<u128>,
    pidfd: &mut libc::c_int,
    child: Child,
    data: *mut c_void,
) -> libc::c_long {
    // SAFETY: all zeros is a clone_args that asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = FLAGS as u64 | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
    args.pidfd = &raw mut *pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    args.cgroup = cgroup as u64;
    args.stack = stack.as_mut_ptr() as u64;
    args.stack_size = (STACK * size_of::<u128>()) as u64;
    let result: libc::c_long;
    // SAFETY: in this process it is a system call and a branch. In the new one, which has a
    // stack of its own, aligned to 16 bytes, nothing of this function's is touched: it calls
    // what doesn't return.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") &raw mut args,
            in("rsi") size_of_val(&args),
            in("r12") data,
            in("r13") child,
            lateout("rcx") _,
            lateout("r11") _,
        );
        if result < 0 {
            *libc::__errno_location() = -(result as libc::c_int);
            return -1;
        }
    }
    result
}
