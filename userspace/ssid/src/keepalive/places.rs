//! Where a node's supervision has its things.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ssi_keepalive::runner::Places;
use ssi_vproc::procfs::mount_point;

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
    let found = mount_point(&fs::read("/proc/self/mountinfo")?).ok_or_else(|| {
        io::Error::other(
            "no cgroup2 file system is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup",
        )
    })?;
    Ok(found.join(OURS))
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
