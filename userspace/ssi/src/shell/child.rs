//! The shell's process: how it begins, and what passes between it and whoever started us.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::filter;
use super::listener::{self, Listener};

/// Signals that are the shell's: who sends one to us means it.
const PASSED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// Blocks the signals that matter here, for all threads to come, and reads them. Also which were
/// blocked before.
pub(super) fn signals() -> nix::Result<(SignalFd, SigSet)> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    for signal in PASSED {
        set.add(signal);
    }
    let before = set.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok((SignalFd::with_flags(&set, flags)?, before))
}

/// Why it didn't begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum Not {
    #[error("the system calls of this kind of processor are not known; nothing was run")]
    Processor,
    #[error("cannot answer system calls: {0}; {hint}; nothing was run", hint = hint(.0))]
    Filter(io::Error),
    #[error("cannot run {0}: {1}")]
    Run(String, io::Error),
}

fn hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EBUSY) => "whoever runs this answers some already, as containers do",
        _ => "this needs Linux 5.0 with SECCOMP_FILTER",
    }
}

/// Starts it with the filter on.
pub(super) fn start(command: &mut Command, mask: SigSet) -> Result<(Listener, Child), Not> {
    let program = filter::program().ok_or(Not::Processor)?;
    // A filter is a thread's, and of whomever it starts: ours is to stay without.
    thread::scope(|scope| {
        let started = scope.spawn(|| {
            let listener = listener::install(&program).map_err(Not::Filter)?;
            // It has what we had.
            mask.thread_set_mask().map_err(|e| Not::Filter(e.into()))?;
            let child = command.spawn().map_err(|error| not_run(command, error))?;
            Ok((listener, child))
        });
        let ended = |_| Not::Filter(io::Error::other("the thread that did it ended"));
        started.join().map_err(ended)?
    })
}

/// Becomes it, where we are in a shell already.
pub(super) fn become_it(command: &mut Command) -> Not {
    let error = command.exec();
    not_run(command, error)
}

fn not_run(command: &Command, error: io::Error) -> Not {
    Not::Run(command.get_program().display().to_string(), error)
}

/// How it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exit(i32),
    Signal(Signal),
}

/// What signals say. The shell's end, if it has ended.
pub(super) fn hear(signals: &SignalFd, shell: Pid) -> nix::Result<Option<End>> {
    while let Some(heard) = signals.read_signal()? {
        pass(&heard, shell);
    }
    loop {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED;
        match waitpid(shell, Some(flags)) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(Some(End::Exit(status))),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Some(End::Signal(signal))),
            Ok(WaitStatus::Stopped(..)) => {
                // Whoever started us sees it by us, and lets us go on.
                raise(Signal::SIGSTOP)?;
                match kill(shell, Signal::SIGCONT) {
                    Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(_) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hands a signal on. What a terminal sends it sends to the shell as well.
fn pass(heard: &siginfo, shell: Pid) {
    let signal = Signal::try_from(heard.ssi_signo.cast_signed());
    let from_terminal = heard.ssi_code > 0;
    if let Some(signal) = signal
        .ok()
        .filter(|signal| PASSED.contains(signal) && !from_terminal)
    {
        // It may have ended, or be another user's by now.
        let _ = kill(shell, signal);
    }
}

/// Dies as the shell did, without a core of ours.
pub(super) fn die_by(signal: Signal) -> io::Error {
    let die = || -> nix::Result<()> {
        nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0)?;
        let action = nix::sys::signal::SigAction::new(
            nix::sys::signal::SigHandler::SigDfl,
            nix::sys::signal::SaFlags::empty(),
            SigSet::empty(),
        );
        // SAFETY: the default is no handler of ours.
        unsafe { nix::sys::signal::sigaction(signal, &action) }?;
        raise(signal)?;
        let mut set = SigSet::empty();
        set.add(signal);
        set.thread_unblock()
    };
    die().map_or_else(io::Error::from, |()| io::Error::other("it kills nobody"))
}
