//! Where a node's supervision has its things.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ssi_keepalive::runner::Places;

use super::folder;
use crate::config::Config;

/// The folder of our cgroups, unless it is configured, below where cgroup2 is mounted.
const OURS: &str = "ssi";

/// Where things are; the folder of the cgroups is made, with what the kernel can limit.
///
/// # Errors
/// There is no cgroup2 file system that can be written to.
pub(super) fn places(config: &Config) -> io::Result<Places> {
    let cgroups = cgroups(config)?;
    delegate(&cgroups);
    fs::create_dir_all(folder(config))?;
    Ok(Places {
        cgroups,
        logs: config.keepalive.logs.clone(),
        state: state(config),
        runtime: config.runtime().join("keepalive"),
    })
}

/// The supervisor's own file.
pub(super) fn state(config: &Config) -> PathBuf {
    folder(config).join("local")
}

/// The folder of the cgroups of all instances.
pub(super) fn cgroups(config: &Config) -> io::Result<PathBuf> {
    let said = &config.keepalive.cgroup;
    if !said.as_os_str().is_empty() {
        return Ok(said.clone());
    }
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let found = mounted(&mounts).ok_or_else(|| {
        io::Error::other(
            "no cgroup2 file system is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup",
        )
    })?;
    Ok(found.join(OURS))
}

/// Where cgroup2 is mounted.
fn mounted(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let place = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| PathBuf::from(place))
    })
}

/// Has the kernel count and limit in the folder what it can: each folder above has to say so.
/// Where it can't, a configuration with limits is refused by the kernel, and says so.
fn delegate(folder: &Path) {
    let above: Vec<&Path> = folder.ancestors().skip(1).collect();
    let above = above.into_iter().rev();
    for parent in above.filter(|parent| parent.join("cgroup.controllers").exists()) {
        for controller in ["+cpu", "+memory", "+pids"] {
            let _ = fs::write(parent.join("cgroup.subtree_control"), controller);
        }
    }
    // Its own error says more than this one.
    let _ = fs::create_dir_all(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup2_is_found_beside_the_old_ones() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let found = mounted(mounts);
        assert_eq!(found.as_deref(), Some(Path::new("/sys/fs/cgroup/unified")));
        assert_eq!(mounted("proc /proc proc rw 0 0\n"), None);
    }
}
