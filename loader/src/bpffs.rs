//! The file system of pins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{StatFs, statfs};
use rustix::mount::{MountFlags, mount};

use crate::LoadError;

/// `BPF_FS_MAGIC` of the kernel's `uapi/linux/magic.h`.
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;

/// Directory of process tracking's pins, beside those of the packet path.
pub(crate) const PROC: &str = "proc";

/// Makes the directory, and mounts a bpffs if nothing is mounted there.
pub(crate) fn prepare(root: &Path) -> Result<(), LoadError> {
    let failed = |source| LoadError::Pin {
        path: root.to_owned(),
        source,
    };
    fs::create_dir_all(root).map_err(failed)?;
    let StatFs { f_type, .. } = statfs(root).map_err(|errno| failed(errno.into()))?;
    if f_type != BPF_FS_MAGIC {
        mount("bpf", root, "bpf", MountFlags::empty(), None)
            .map_err(|errno| failed(io::Error::from(errno)))?;
    }
    Ok(())
}

/// What is in a directory; nothing, if it isn't there.
pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Takes out what process tracking has pinned below the directory of an ABI version: a link
/// that loses its pin is detached, a map freed.
pub(crate) fn remove_proc(version: &Path) {
    let proc = version.join(PROC);
    for dir in [proc.join("links"), proc.join("maps")] {
        for pin in entries(&dir) {
            let _ = fs::remove_file(pin);
        }
        let _ = fs::remove_dir(dir);
    }
    let _ = fs::remove_dir(proc);
}
