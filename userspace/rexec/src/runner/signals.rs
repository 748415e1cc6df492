//! Signals, read from a descriptor; what was ignored when we came; dying by one.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The last signal.
const LAST: u8 = 64;

/// Blocks all signals and reads them; those that a fault of ours raises are left as they are.
pub(super) fn read_all() -> nix::Result<SignalFd> {
    let mut all = SigSet::all();
    for fault in [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGSYS,
        Signal::SIGABRT,
    ] {
        all.remove(fault);
    }
    all.thread_block()?;
    SignalFd::with_flags(&all, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

fn action(signal: u8) -> Option<libc::sigaction> {
    let mut found = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no action is set, and the one that is found is written whole if it succeeds.
    unsafe {
        let result = libc::sigaction(signal.into(), std::ptr::null(), found.as_mut_ptr());
        (result == 0).then(|| found.assume_init())
    }
}

fn is_ignored(signal: u8) -> bool {
    action(signal).is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
}

/// Whether SIGPIPE was ignored when this program began.
static PIPE_IGNORED: AtomicBool = AtomicBool::new(false);

/// Looks at that before anything of Rust runs, which ignores it at once.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_PIPE: extern "C" fn() = look_at_pipe;

extern "C" fn look_at_pipe() {
    PIPE_IGNORED.store(is_ignored(libc::SIGPIPE as u8), Ordering::Relaxed);
}

/// Signals that were ignored when this program began, a bit each.
pub(super) fn ignored() -> u64 {
    // It is linked with whoever asks.
    std::hint::black_box(&LOOK_AT_PIPE);
    let ignored = |signal: &u8| match i32::from(*signal) {
        libc::SIGPIPE => PIPE_IGNORED.load(Ordering::Relaxed),
        _ => is_ignored(*signal),
    };
    let all = (1..=LAST).filter(ignored);
    all.fold(0, |set, signal| set | bit(signal))
}

/// Signals that are ignored now, a bit each.
pub(super) fn ignored_now() -> u64 {
    let all = (1..=LAST).filter(|signal| is_ignored(*signal));
    all.fold(0, |set, signal| set | bit(signal))
}

fn bit(signal: u8) -> u64 {
    1 << (signal - 1)
}

/// Has a process that ignores the signals `before` ignore the signals `then` once it executes
/// something, and none blocked. Async-signal-safe.
pub(super) fn ignore_instead(before: u64, then: u64) {
    let others = (1..=LAST).filter(|signal| (before ^ then) & bit(*signal) != 0);
    for signal in others {
        let how = if then & bit(signal) != 0 {
            libc::SIG_IGN
        } else {
            libc::SIG_DFL
        };
        // SAFETY: neither of the two is a handler of ours. Some signals can't be changed.
        unsafe { libc::signal(signal.into(), how) };
    }
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is made empty before it is read, and belongs to this function.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Lets one signal through, that was sent to this process.
pub(super) fn let_through(signal: u8) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is made empty before it is read, and belongs to this function.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal.into());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// Blocks all again.
pub(super) fn block_all() {
    // It can't fail.
    let _ = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None);
}

/// Sends a signal, which may be one without a name.
pub(super) fn send(to: i32, signal: u8) -> nix::Result<()> {
    // SAFETY: a system call on plain values.
    Errno::result(unsafe { libc::kill(to, signal.into()) }).map(drop)
}

/// Dies by a signal, as the command did; no core is left of us, who did nothing wrong.
pub(super) fn die_by(signal: u8) -> ! {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: plain values, and a structure that lives as long as the call.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::signal(signal.into(), libc::SIG_DFL);
        libc::raise(signal.into());
    }
    let_through(signal);
    // One that kills nobody.
    std::process::exit(128 + i32::from(signal));
}
