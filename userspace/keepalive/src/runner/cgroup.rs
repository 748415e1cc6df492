//! A cgroup for each instance: all its processes are in it, whatever they fork.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::config::CgroupLimits;
use crate::core::Id;

/// The length of `cpu.max`'s period, in microseconds: the kernel's own.
const PERIOD: u64 = 100_000;

/// Where the cgroups of all instances are: a folder in a cgroup2 file system.
#[derive(Clone, Debug)]
pub struct Cgroups {
    root: PathBuf,
}

impl Cgroups {
    /// Makes the folder, and has the kernel count and limit in it what it can.
    ///
    /// # Errors
    /// It is not in a cgroup2 file system, or can't be made.
    pub fn at(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        if !root.join("cgroup.kill").exists() {
            let message = format!("{} is in no cgroup2 file system", root.display());
            return Err(io::Error::other(message));
        }
        let there = fs::read_to_string(root.join("cgroup.controllers"))?;
        for controller in ["cpu", "memory", "pids"] {
            if there.split_whitespace().any(|name| name == controller) {
                let on = format!("+{controller}");
                write(&root.join("cgroup.subtree_control"), &on)?;
            }
        }
        let root = root.to_owned();
        Ok(Self { root })
    }

    /// The cgroup of an instance.
    #[must_use]
    pub fn of(&self, id: &Id) -> Cgroup {
        Cgroup {
            path: self.root.join(id.to_string()),
        }
    }
}

/// A cgroup that a process can be started in.
#[derive(Debug)]
pub struct Seat {
    /// The cgroup itself, to be cloned into.
    pub(crate) folder: File,
    /// What a process writes 0 to, to join.
    pub(crate) procs: File,
}

/// The cgroup of an instance.
#[derive(Clone, Debug)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes it, with these limits, and opens it for a process to be started in it.
    ///
    /// An old one is replaced: into a cgroup that was ever killed, Linux 6.18 lets nobody be
    /// cloned from outside; whoever is, is killed at birth.
    ///
    /// # Errors
    /// A limit is set and the kernel has no such controller here; it can't be made.
    pub fn make(&self, limits: &CgroupLimits) -> io::Result<Seat> {
        self.remove();
        match fs::create_dir(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let cpu = limits.cpu.map(|cpus| {
            let quota = u64::from(cpus.0) * PERIOD / 1000;
            format!("{} {PERIOD}", quota.max(1000))
        });
        let memory = limits.memory.map(|size| size.0.to_string());
        let pids = limits.pids.map(|pids| pids.to_string());
        for (name, limit) in [("cpu.max", cpu), ("memory.max", memory), ("pids.max", pids)] {
            let path = self.path.join(name);
            match limit {
                Some(limit) => write(&path, &limit).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => io::Error::other(format!(
                        "cgroup.{}: this kernel doesn't limit that in {}",
                        name.trim_end_matches(".max"),
                        self.path.display()
                    )),
                    _ => error,
                })?,
                None if path.exists() => write(&path, "max")?,
                None => {}
            }
        }
        Ok(Seat {
            folder: File::open(&self.path)?,
            procs: OpenOptions::new()
                .write(true)
                .open(self.path.join("cgroup.procs"))?,
        })
    }

    /// SIGKILL to every process of it, also to those that are forked meanwhile.
    ///
    /// # Errors
    /// There is no such cgroup.
    pub fn kill(&self) -> io::Result<()> {
        write(&self.path.join("cgroup.kill"), "1")
    }

    /// Stands all its processes still, or lets them go on.
    ///
    /// # Errors
    /// There is no such cgroup.
    pub fn freeze(&self, frozen: bool) -> io::Result<()> {
        let word = if frozen { "1" } else { "0" };
        write(&self.path.join("cgroup.freeze"), word)
    }

    /// Takes a process in that was started elsewhere.
    ///
    /// # Errors
    /// There is no such process.
    pub fn take_in(&self, pid: u32) -> io::Result<()> {
        write(&self.path.join("cgroup.procs"), &pid.to_string())
    }

    /// Its processes; none if there is no such cgroup.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let list = fs::read_to_string(self.path.join("cgroup.procs"));
        let list = list.unwrap_or_default();
        list.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Whether it has processes, dying ones included.
    #[must_use]
    pub fn is_populated(&self) -> bool {
        let events = fs::read_to_string(self.events());
        events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
    }

    /// The file that tells of it when that changes.
    pub(crate) fn events(&self) -> PathBuf {
        self.path.join("cgroup.events")
    }

    /// Removes it, with whatever empty ones its processes have made in it.
    pub fn remove(&self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}

/// The kernel's files are written in one go, and not made.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())
}
