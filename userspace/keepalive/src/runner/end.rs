//! The end of everything that is kept alive here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cgroup::remove;
use super::cgroup1::Hierarchies;

/// How long processes may take to end after SIGTERM.
const TERM: Duration = Duration::from_secs(5);
/// How long killed ones may take to be gone.
const KILL: Duration = Duration::from_secs(5);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Ends all that runs in `root`, the folder of the cgroups of all instances, and removes it,
/// with what limited them elsewhere. No supervisor may be at work.
///
/// # Errors
/// Something there doesn't end.
pub fn end_all(root: &Path) -> io::Result<()> {
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
    Hierarchies::beside(root)?.remove_all();
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

/// Whether no process is in the cgroups below `root`, or there is no such folder.
#[must_use]
pub fn is_empty(root: &Path) -> bool {
    let events = fs::read_to_string(root.join("cgroup.events"));
    !events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
}

fn wait(patience: Duration, done: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    while !done() && Instant::now() < end {
        thread::sleep(LOOK);
    }
}
