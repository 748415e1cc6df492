//! Reaping, and `ssid` kept running until the cluster's own supervisor does that.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::mounts::{NAMES, PROGRAMS};

/// How long after its end `ssid` is started again: a crash loop shall not keep the machine
/// busy, and who kills it to see what happens shall have a moment to look.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether an `ssid` that somebody else started is still there,
/// milliseconds.
const LOOK: u8 = 200;
/// How long processes that were asked to end may take.
const LAST: Duration = Duration::from_secs(3);

/// Where processes of a machine find programs.
#[must_use]
pub fn search_path() -> String {
    format!("{PROGRAMS}:{NAMES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

/// Keeps `ssid` running, unless it ended with status 0: then somebody asked it to.
///
/// Runs until SIGTERM or SIGINT; then everything here is asked to end, and what does not
/// is killed by the kernel, as the namespace's first process goes.
pub(super) fn run(daemon: bool) -> Result<()> {
    let mut wanted = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD] {
        wanted.add(signal);
    }
    wanted.thread_block()?;
    let signals = SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let ssid = daemon.then(find_daemon).flatten();
    if daemon && ssid.is_none() {
        eprintln!("no ssid beside ssi-testbed, nor in PATH: this node runs without it");
    }
    let mut child = None;
    let mut start_at = Instant::now();
    // Who asks it to end does not want it back until somebody starts it by hand.
    let mut asked_to_end = false;
    loop {
        if let Some(ssid) = &ssid
            && child.is_none()
            && Instant::now() >= start_at
        {
            if runs("ssid") {
                asked_to_end = false;
            } else if !asked_to_end {
                child = start(ssid);
                start_at = Instant::now() + PAUSE;
            }
        }
        let idle = child.is_some() || ssid.is_none();
        wait(&signals, if idle { PollTimeout::NONE } else { LOOK.into() })?;
        while let Some(signal) = signals.read_signal()? {
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                eprintln!("ending");
                return end(&signals);
            }
        }
        for (pid, how) in reap() {
            if child == Some(pid) {
                asked_to_end = matches!(how, WaitStatus::Exited(_, 0));
                eprintln!("ssid ended: {}", in_words(how));
                child = None;
                start_at = Instant::now() + PAUSE;
            }
        }
    }
}

fn wait(signals: &SignalFd, time: PollTimeout) -> Result<()> {
    let mut events = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    match poll(&mut events, time) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn end(signals: &SignalFd) -> Result<()> {
    // There may be nobody.
    let _ = kill(Pid::from_raw(-1), Signal::SIGTERM);
    let latest = Instant::now() + LAST;
    while others() && Instant::now() < latest {
        wait(signals, LOOK.into())?;
        while signals.read_signal()?.is_some() {}
        reap();
    }
    Ok(())
}

/// Whether any other process is here; those that `exec` brought in are nobody's children.
fn others() -> bool {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .any(|pid| pid != 1)
}

fn find_daemon() -> Option<PathBuf> {
    search_path()
        .split(':')
        .map(|dir| Path::new(dir).join("ssid"))
        .find(|path| path.exists())
}

fn start(ssid: &Path) -> Option<Pid> {
    let mut command = Command::new(ssid);
    command
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .current_dir("/");
    // The signals that init reads from a descriptor are blocked; ssid wants them.
    // SAFETY: one system call, which is async-signal-safe and touches no memory of ours.
    unsafe {
        command.pre_exec(|| SigSet::empty().thread_set_mask().map_err(Into::into));
    }
    match command.spawn() {
        Ok(child) => {
            eprintln!("ssid started as process {}", child.id());
            Some(Pid::from_raw(child.id().cast_signed()))
        }
        Err(error) => {
            eprintln!("{}: {error}", ssid.display());
            None
        }
    }
}

/// Whether somebody else started one.
fn runs(name: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names = processes.filter_map(|p| fs::read_to_string(p.path().join("comm")).ok());
    names.any(|comm| comm.trim_end() == name)
}

/// Every child that has ended, adopted ones too.
fn reap() -> Vec<(Pid, WaitStatus)> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(how @ (WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..))) => {
                ended.push((pid, how));
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => {
                eprintln!("waiting for children: {errno}");
                return ended;
            }
        }
    }
}

fn in_words(how: WaitStatus) -> String {
    match how {
        WaitStatus::Exited(_, 0) => "exit status 0; it is not started again".to_owned(),
        WaitStatus::Exited(_, code) => format!("exit status {code}"),
        WaitStatus::Signaled(_, signal, _) => signal.to_string(),
        other => format!("{other:?}"),
    }
}
