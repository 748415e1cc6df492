//! `ssid --unload`: nothing that was kept alive goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ssi_keepalive::runner::remove_limits;

use super::guard::Guard;
use super::places;
use crate::config::Config;
use crate::state;

/// How long processes may take to end after SIGTERM.
const TERM: Duration = Duration::from_secs(5);
/// How long killed ones may take to be gone.
const KILL: Duration = Duration::from_secs(5);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Ends everything that is kept alive on this node, and removes the cgroups; whether there
/// was anything. What operators and the cluster want stays in the state directory.
pub(crate) fn end_all(config: &Config) -> Result<bool> {
    let Ok(root) = places::cgroups(config) else {
        return Ok(false);
    };
    let guard = Guard::of(config, &root);
    guard.end().context("cannot end the guard of the lease")?;
    let there = root.exists();
    if there {
        end(&root).with_context(|| format!("cannot end what runs in {}", root.display()))?;
        remove_limits(&root).context("cannot remove the limits of what ran")?;
    }
    // It says that they run.
    state::remove(&places::state(config))?;
    Ok(there)
}

fn end(root: &Path) -> io::Result<()> {
    // What stands still hears nothing.
    let _ = fs::write(root.join("cgroup.freeze"), "0");
    for pid in instances(root).iter().flat_map(|folder| pids(folder)) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    wait(TERM, || is_empty(root));
    if !is_empty(root) {
        fs::write(root.join("cgroup.kill"), "1")?;
        wait(KILL, || is_empty(root));
    }
    for folder in instances(root) {
        remove(&folder);
    }
    match fs::remove_dir(root) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn instances(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

fn pids(folder: &Path) -> Vec<i32> {
    let list = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    list.lines().filter_map(|pid| pid.parse().ok()).collect()
}

fn is_empty(root: &Path) -> bool {
    let events = fs::read_to_string(root.join("cgroup.events"));
    !events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
}

fn remove(folder: &Path) {
    for inner in instances(folder) {
        remove(&inner);
    }
    // The folder above can't be removed then, and says why.
    let _ = fs::remove_dir(folder);
}

fn wait(patience: Duration, done: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    while !done() && Instant::now() < end {
        thread::sleep(LOOK);
    }
}
