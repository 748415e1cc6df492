//! A cgroup for each machine, to freeze and kill it as a whole.
//!
//! Only cgroup v2 can do that (freeze: kernel 5.2, kill: 5.14), and only its hierarchy is
//! used, wherever it is mounted. Without it a machine is killed by its init, which takes
//! its process namespace along, and paused by signals. A machine's `ssid` limits what it keeps
//! alive by folders of the same name in the hierarchies of version 1, which go with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::plan::Machine;

const ROOT: &str = "ssi-testbed";

fn hierarchy() -> Option<PathBuf> {
    let places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    places
        .map(PathBuf::from)
        .into_iter()
        .find(|place| place.join("cgroup.controllers").exists())
}

fn group(machine: Machine) -> Option<PathBuf> {
    Some(hierarchy()?.join(ROOT).join(machine.name()))
}

/// Where the machine's `ssid` has the cgroups of what it keeps alive: below the machine's own,
/// so that it crashes with it; none if the kernel has none.
#[must_use]
pub fn services(machine: Machine) -> Option<PathBuf> {
    Some(group(machine)?.join("services"))
}

/// Makes the machine's cgroup; false if this machine's kernel has none to give.
pub fn make(machine: Machine) -> bool {
    group(machine).is_some_and(|group| fs::create_dir_all(group).is_ok())
}

/// Puts a process, and what it starts from now on, into the machine's cgroup.
///
/// # Errors
/// The kernel refused.
pub fn join(machine: Machine, pid: i32) -> io::Result<()> {
    match group(machine).filter(|group| group.exists()) {
        Some(group) => fs::write(group.join("cgroup.procs"), pid.to_string()),
        None => Ok(()),
    }
}

/// Kills everything in the machine's cgroup at once.
pub fn kill(machine: Machine) {
    if let Some(group) = group(machine) {
        // Without it, killing init does it.
        let _ = fs::write(group.join("cgroup.kill"), "1");
    }
}

/// Freezes or thaws the machine; false if only signals can.
#[must_use]
pub fn freeze(machine: Machine, frozen: bool) -> bool {
    let value = if frozen { "1" } else { "0" };
    group(machine).is_some_and(|group| fs::write(group.join("cgroup.freeze"), value).is_ok())
}

/// Removes the machine's cgroup, once it is empty.
pub fn remove(machine: Machine) {
    for hierarchy in hierarchies() {
        remove_tree(&hierarchy.join(ROOT).join(machine.name()));
    }
}

/// Removes every cgroup of the testbed.
pub fn remove_all() {
    for hierarchy in hierarchies() {
        remove_tree(&hierarchy.join(ROOT));
    }
}

/// Those of both versions, wherever they are mounted.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let of = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        matches!(kind, "cgroup" | "cgroup2").then(|| PathBuf::from(place))
    };
    mounts.lines().filter_map(of).collect()
}

fn remove_tree(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
    // Dying processes hold it for a moment.
    for _ in 0..50 {
        if !group.exists() || fs::remove_dir(group).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
