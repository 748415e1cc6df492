//! A cgroup for each instance: all its processes are in it, whatever they fork.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cgroup1::Hierarchies;
use crate::config::CgroupLimits;
use crate::core::Id;

/// The length of `cpu.max`'s period, in microseconds: the kernel's own.
const PERIOD: u64 = 100_000;

/// Where the cgroups of all instances are: a folder in a cgroup2 file system.
#[derive(Clone, Debug)]
pub struct Cgroups {
    root: Arc<Root>,
}

#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// What can be limited in it.
    controllers: Vec<Controller>,
    /// What can't, in other hierarchies.
    older: Hierarchies,
}

/// What limits something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Cpu,
    Memory,
    Pids,
}

impl Controller {
    pub(crate) const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Pids];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }

    const fn is_wanted(self, limits: &CgroupLimits) -> bool {
        match self {
            Self::Cpu => limits.cpu.is_some(),
            Self::Memory => limits.memory.is_some(),
            Self::Pids => limits.pids.is_some(),
        }
    }

    /// A file of version 2, and what is written to it.
    fn word2(self, limits: &CgroupLimits) -> (&'static str, String) {
        let max = || "max".to_owned();
        match self {
            Self::Cpu => {
                let quota = quota(limits).map(|quota| format!("{quota} {PERIOD}"));
                ("cpu.max", quota.unwrap_or_else(max))
            }
            Self::Memory => {
                let size = limits.memory.map(|size| size.0.to_string());
                ("memory.max", size.unwrap_or_else(max))
            }
            Self::Pids => {
                let pids = limits.pids.map(|pids| pids.to_string());
                ("pids.max", pids.unwrap_or_else(max))
            }
        }
    }

    /// The same of version 1.
    pub(crate) fn words1(self, limits: &CgroupLimits) -> Vec<(&'static str, String)> {
        match self {
            Self::Cpu => quota(limits).map_or_else(Vec::new, |quota| {
                vec![
                    ("cpu.cfs_period_us", PERIOD.to_string()),
                    ("cpu.cfs_quota_us", quota.to_string()),
                ]
            }),
            Self::Memory => {
                let size = limits.memory.map(|size| size.0.to_string());
                let size = size.map(|size| ("memory.limit_in_bytes", size));
                size.into_iter().collect()
            }
            Self::Pids => vec![self.word2(limits)],
        }
    }
}

/// Microseconds of a [`PERIOD`].
fn quota(limits: &CgroupLimits) -> Option<u64> {
    let cpus = limits.cpu?;
    Some((u64::from(cpus.0) * PERIOD / 1000).max(1000))
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
        let mut controllers = Vec::new();
        for controller in Controller::ALL {
            let name = controller.name();
            if there.split_whitespace().any(|there| there == name) {
                write(&root.join("cgroup.subtree_control"), &format!("+{name}"))?;
                controllers.push(controller);
            }
        }
        let root = Root {
            path: root.to_owned(),
            controllers,
            older: Hierarchies::beside(root)?,
        };
        let root = Arc::new(root);
        Ok(Self { root })
    }

    /// The cgroup of an instance.
    #[must_use]
    pub fn of(&self, id: &Id) -> Cgroup {
        let name = id.to_string();
        Cgroup {
            path: self.root.path.join(&name),
            name: name.into(),
            root: self.root.clone(),
        }
    }
}

/// A cgroup that a process can be started in.
#[derive(Debug)]
pub struct Seat {
    /// The cgroup itself, to be cloned into.
    pub(crate) folder: File,
    /// What a process writes 0 to, to join the cgroups of version 1 that limit it.
    pub(crate) more: Vec<File>,
    path: PathBuf,
}

impl Seat {
    /// What a process writes 0 to, to join.
    pub(crate) fn procs(&self) -> io::Result<File> {
        let path = self.path.join("cgroup.procs");
        OpenOptions::new().write(true).open(path)
    }
}

/// The cgroup of an instance.
#[derive(Clone, Debug)]
pub struct Cgroup {
    path: PathBuf,
    name: PathBuf,
    root: Arc<Root>,
}

impl Cgroup {
    /// Makes it, with these limits, and opens it for a process to be started in it.
    ///
    /// An old one is replaced: into a cgroup that was ever killed, Linux 6.18 lets nobody be
    /// cloned from outside; whoever is, is killed at birth.
    ///
    /// A limit whose controller isn't there for version 2 is kept by a cgroup of version 1.
    ///
    /// # Errors
    /// A limit is set and the kernel has no such controller, of either version; it can't be
    /// made.
    pub fn make(&self, limits: &CgroupLimits) -> io::Result<Seat> {
        let mut made = fs::create_dir(&self.path).is_ok();
        if !made {
            self.remove();
            made = match fs::create_dir(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                done => done.is_ok(),
            };
        }
        self.limit(limits, made)
    }

    /// Opens it as it is, if nobody has made another in it: for one that was made with these
    /// limits and never killed.
    pub(crate) fn again(&self, limits: &CgroupLimits) -> io::Result<Option<Seat>> {
        let seat = self.limit(limits, false)?;
        // Two names of its own, and one for each within.
        Ok((seat.folder.metadata()?.nlink() == 2).then_some(seat))
    }

    /// `new`: it has just been made, so it stands not still and limits nothing yet.
    fn limit(&self, limits: &CgroupLimits, new: bool) -> io::Result<Seat> {
        // Whoever ended while it stood still has left it so; and a process that stands still
        // before it is its program keeps its supervisor waiting for ever.
        if !new {
            self.freeze(false)?;
        }
        let mut more = Vec::new();
        for controller in Controller::ALL {
            let wanted = controller.is_wanted(limits);
            if new && !wanted {
                continue;
            }
            if self.root.controllers.contains(&controller) {
                let (file, word) = controller.word2(limits);
                write(&self.path.join(file), &word)?;
            } else if wanted {
                let made = self.root.older.limit(&self.name, controller, limits)?;
                more.push(made.ok_or_else(|| {
                    io::Error::other(format!(
                        "cgroup.{0}: this kernel has no controller \"{0}\", neither in {1} nor \
                         in a hierarchy of version 1",
                        controller.name(),
                        self.root.path.display(),
                    ))
                })?);
            }
        }
        Ok(Seat {
            folder: File::open(&self.path)?,
            more,
            path: self.path.clone(),
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
        write(&self.path.join("cgroup.procs"), &pid.to_string())?;
        self.root.older.take_in(&self.name, pid)
    }

    /// Its processes; none if there is no such cgroup.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let list = fs::read_to_string(self.path.join("cgroup.procs"));
        let list = list.unwrap_or_default();
        list.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Whether this process is one of it.
    pub(crate) fn has(&self, pid: u32) -> bool {
        self.pids().contains(&pid)
    }

    /// Whether it has processes, dying ones included.
    #[must_use]
    pub fn is_populated(&self) -> bool {
        // Two short lines, which the kernel gives in one piece.
        let mut events = [0; 64];
        let read = File::open(self.events()).and_then(|mut file| file.read(&mut events));
        read.is_ok_and(|count| events[..count].starts_with(b"populated 1"))
    }

    /// The file that tells of it when that changes.
    pub(crate) fn events(&self) -> PathBuf {
        self.path.join("cgroup.events")
    }

    /// Removes it, with whatever empty ones its processes have made in it.
    pub fn remove(&self) {
        remove(&self.path);
        self.root.older.remove(&self.name);
    }
}

pub(crate) fn remove(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}

/// The kernel's files are written in one go, and not made.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())
}
