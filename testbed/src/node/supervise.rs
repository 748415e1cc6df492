//! Reaping, and `ssid` kept running until the cluster's own supervisor does that.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::Result;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::mounts::PROGRAMS;

/// How long after its end `ssid` is started again: a crash loop shall not keep the machine
/// busy, and who kills it to see what happens shall have a moment to look.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Where processes of a machine find programs.
#[must_use]
pub fn search_path() -> String {
    format!("{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

pub(super) fn run(daemon: bool) -> Result<()> {
    let mut ending = SigSet::empty();
    ending.add(Signal::SIGTERM);
    ending.add(Signal::SIGINT);
    ending.thread_block()?;
    let signals = SignalFd::with_flags(&ending, nix::sys::signalfd::SfdFlags::SFD_NONBLOCK)?;
    let ssid = daemon.then(find_daemon).flatten();
    if daemon && ssid.is_none() {
        eprintln!("no ssid beside ssi-testbed, nor in PATH: this node runs without it");
    }
    let mut child = None;
    let mut start_at = Instant::now();
    loop {
        if let Some(ssid) = &ssid
            && child.is_none()
            && Instant::now() >= start_at
            && !runs("ssid")
        {
            child = start(ssid);
            start_at = Instant::now() + PAUSE;
        }
        for (pid, how) in reap() {
            if child == Some(pid) {
                eprintln!("ssid ended: {how}");
                child = None;
                start_at = Instant::now() + PAUSE;
            }
        }
        if signals.read_signal()?.is_some() {
            eprintln!("ending");
            return Ok(());
        }
        thread::sleep(TICK);
    }
}

fn find_daemon() -> Option<PathBuf> {
    search_path()
        .split(':')
        .map(|dir| Path::new(dir).join("ssid"))
        .find(|path| path.exists())
}

fn start(ssid: &Path) -> Option<Pid> {
    let started = Command::new(ssid)
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .current_dir("/")
        .spawn();
    match started {
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
fn reap() -> Vec<(Pid, String)> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => ended.push((pid, format!("exit status {code}"))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => ended.push((pid, format!("{signal}"))),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => {
                eprintln!("waiting for children: {errno}");
                return ended;
            }
        }
    }
}
