//! The command.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use super::birth::Birth;
use super::environment;
use super::exec::Program;
use super::pty::Pty;
use crate::core::{Exit, Limit, NOT_EXECUTABLE, NOT_FOUND, NotRun, Spec, Stream};
use crate::runner::descriptors::never_wait;
use crate::runner::signals;

/// It, and our ends of its streams.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) pid: Pid,
    pub(super) input: Option<OwnedFd>,
    pub(super) output: [Option<OwnedFd>; 2],
    pub(super) pty: Option<Pty>,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Become {
    Stopped(u8),
    Ended(Exit),
}

impl Child {
    /// Starts it, with these limits, which are others than this process's. `ignored`: signals
    /// that this process ignores.
    pub(super) fn start(spec: &Spec, limits: &[Limit], ignored: u64) -> Result<Self, NotRun> {
        let name = environment::word(&spec.args[0]);
        enter(spec)?;
        let failed = |error: io::Error| NotRun::failed(error.to_string());
        let program = Program::new(&spec.args, &environment::of(spec)).map_err(failed)?;
        let (streams, input, output, pty) = streams(spec).map_err(failed)?;
        let terminal = pty.as_ref().filter(|_| spec.foreground);
        let terminal = terminal.map(Pty::stream).transpose().map_err(failed)?;
        let birth = Birth {
            program,
            streams: streams.each_ref().map(AsRawFd::as_raw_fd),
            terminal: terminal.as_ref().map(AsRawFd::as_raw_fd),
            detached: spec.detached,
            ignored: spec.ignored,
            inherited: ignored,
            limits,
        };
        let started = birth.give();
        // It must not keep a file system busy that only the command uses.
        let _ = std::env::set_current_dir("/");
        let pid = started.map_err(|error| not_run(&name.to_string_lossy(), &error))?;
        Ok(Self {
            pid,
            input,
            output,
            pty,
        })
    }

    /// What has become of it lately.
    pub(super) fn look(&self) -> Option<Become> {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED;
        let number = |signal: i32| u8::try_from(signal).unwrap_or(0);
        match waitpid(self.pid, Some(flags)) {
            Ok(WaitStatus::Exited(_, code)) => Some(Become::Ended(Exit::Code(
                u8::try_from(code & 0xff).unwrap_or(0),
            ))),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                Some(Become::Ended(Exit::Signal(number(signal as i32))))
            }
            Ok(WaitStatus::Stopped(_, signal)) => Some(Become::Stopped(number(signal as i32))),
            _ => None,
        }
    }

    /// Sends a signal to its process group.
    pub(super) fn signal(&self, signal: u8) {
        // A user's command that has become another user's can't be signalled, here as there.
        let _ = signals::send(-self.pid.as_raw(), signal);
    }
}

/// Directory and umask are taken on before the command is: the kernel's word is clearer then.
fn enter(spec: &Spec) -> Result<(), NotRun> {
    let directory = spec.directory.as_deref().unwrap_or(b"/");
    let directory = environment::word(directory);
    std::env::set_current_dir(&directory).map_err(|error| {
        let shown = Path::new(&directory).display();
        NotRun::failed(format!(
            "cannot run in {shown}: {error}; go elsewhere first, or take -l for the node's own context"
        ))
    })
}

/// The command's ends of its streams, and ours.
type Streams = (
    [OwnedFd; 3],
    Option<OwnedFd>,
    [Option<OwnedFd>; 2],
    Option<Pty>,
);

fn streams(spec: &Spec) -> io::Result<Streams> {
    if spec.detached {
        let null = OwnedFd::from(
            OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/null")?,
        );
        let streams = [null.try_clone()?, null.try_clone()?, null];
        return Ok((streams, None, [None, None], None));
    }
    let written = || -> io::Result<(OwnedFd, OwnedFd)> {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        never_wait(&ours)?;
        Ok((ours, theirs))
    };
    let Some(terminal) = &spec.terminal else {
        let (theirs, input) = pipe2(OFlag::O_CLOEXEC)?;
        never_wait(&input)?;
        let (out, their_out) = written()?;
        let (err, their_err) = written()?;
        let streams = [theirs, their_out, their_err];
        return Ok((streams, Some(input), [Some(out), Some(err)], None));
    };
    let pty = Pty::open(terminal)?;
    let (err, their_err) = if spec.errors_apart {
        let (err, theirs) = written()?;
        (Some(err), theirs)
    } else {
        (None, pty.stream()?.into())
    };
    let streams = [pty.stream()?.into(), pty.stream()?.into(), their_err];
    let (input, out) = (pty.master.try_clone()?, pty.master.try_clone()?);
    Ok((streams, Some(input), [Some(out), err], Some(pty)))
}

/// Why a command was not executed.
fn not_run(name: &str, error: &io::Error) -> NotRun {
    match error.raw_os_error() {
        Some(libc::ENOENT) => NotRun {
            status: NOT_FOUND,
            why: format!("{name}: there is no such command"),
        },
        _ => NotRun {
            status: NOT_EXECUTABLE,
            why: format!("{name}: cannot be executed: {error}"),
        },
    }
}

/// Bytes that are in a pipe.
pub(super) fn unread(pipe: &OwnedFd) -> u64 {
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// Which of our ends a stream is.
pub(super) fn end(output: &[Option<OwnedFd>; 2], stream: Stream) -> Option<&OwnedFd> {
    output[usize::from(stream.number()).saturating_sub(1)].as_ref()
}
