//! Commands on a machine.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::cgroup;
use crate::node::supervise::search_path;
use crate::plan::Machine;
use crate::state;

/// Exit status when the command was not found or could not be started, as a shell has it.
pub const NOT_FOUND: i32 = 127;

/// Moves the calling process to a machine; children are wholly there.
///
/// # Errors
/// The machine is not up.
pub fn enter(machine: Machine) -> Result<()> {
    let state = state::running()?;
    let init = state
        .init_of(machine)
        .with_context(|| format!("{machine} is not up; `ssi-testbed status` shows who is"))?;
    if state.paused.contains(&machine) {
        bail!(
            "{machine} is paused; `ssi-testbed fault resume {}` lets it go on",
            machine.word()
        );
    }
    cgroup::join(machine, std::process::id().cast_signed())
        .with_context(|| format!("joining {machine}'s cgroup"))?;
    let pid = nix::unistd::Pid::from_raw(init);
    let descriptor = pidfd(pid).with_context(|| format!("{machine} is just going down"))?;
    let kinds = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    let here = std::env::current_dir().ok();
    setns(descriptor, kinds).with_context(|| format!("entering {machine}"))?;
    // The same place, if it is part of the shared tree.
    let same = here.is_some_and(|here| std::env::set_current_dir(here).is_ok());
    if !same {
        std::env::set_current_dir("/")?;
    }
    Ok(())
}

fn pidfd(pid: nix::unistd::Pid) -> Result<std::os::fd::OwnedFd> {
    use std::os::fd::{FromRawFd as _, OwnedFd};
    // SAFETY: a system call on plain values; the descriptor, if any, is ours.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0);
        if fd < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(OwnedFd::from_raw_fd(i32::try_from(fd)?))
    }
}

/// Runs a command on a machine, with this process's input, output and terminal. Its exit
/// status; 128 + the signal if it was killed; [`NOT_FOUND`] if there is no such command.
///
/// # Errors
/// The machine is not up.
pub fn run(machine: Machine, command: &[OsString]) -> Result<i32> {
    enter(machine)?;
    let (program, arguments) = command.split_first().context("a command is wanted")?;
    // ^C and ^\ are for the command, which gets them from the terminal itself.
    for signal in [Signal::SIGINT, Signal::SIGQUIT] {
        let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
        // SAFETY: ignoring a signal installs no code.
        unsafe { sigaction(signal, &ignore) }?;
    }
    let mut child = Command::new(program);
    child
        .args(arguments)
        .env("PATH", search_path())
        .env("SSI_NODE", machine.host().to_string());
    heed_signals(&mut child);
    match child.status() {
        Ok(status) => Ok(code(status)),
        Err(error) => {
            eprintln!("ssi-testbed: {} on {machine}: {error}", program.display());
            Ok(NOT_FOUND)
        }
    }
}

/// The command heeds the signals that we ignore, and dies with us.
fn heed_signals(child: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: system calls only, all async-signal-safe.
    unsafe {
        child.pre_exec(|| {
            for signal in [Signal::SIGINT, Signal::SIGQUIT] {
                let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
                sigaction(signal, &default)?;
            }
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            Ok(())
        });
    }
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
