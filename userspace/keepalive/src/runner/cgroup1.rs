//! Limits where the controllers are of version 1: each in a hierarchy of its own, beside the
//! cgroup of version 2 that holds the processes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::cgroup::{Controller, remove, write};
use crate::config::CgroupLimits;

/// The hierarchies that can limit something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchies(Vec<(Controller, PathBuf)>);

impl Hierarchies {
    /// Those of this machine, beside a folder of version 2.
    pub(crate) fn beside(root: &Path) -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        Ok(Self::of(&mounts, root))
    }

    /// Those of `/proc/self/mounts`; in each, the folder of the same name as ours.
    fn of(mounts: &str, root: &Path) -> Self {
        let mounts = || mounts.lines().filter_map(Mount::of);
        let own = mounts()
            .filter(|mount| mount.kind == "cgroup2")
            .filter_map(|mount| root.strip_prefix(mount.place).ok())
            .min_by_key(|rest| rest.as_os_str().len());
        let Some(own) = own else {
            return Self::default();
        };
        let found = mounts()
            .filter(|mount| mount.kind == "cgroup")
            .flat_map(|mount| {
                let has = move |one: &Controller| mount.options.split(',').any(|o| o == one.name());
                let here = Controller::ALL.into_iter().filter(has);
                here.map(move |one| (one, mount.place.join(own)))
            });
        Self(found.collect())
    }

    fn folder(&self, controller: Controller) -> Option<&Path> {
        let mut all = self.0.iter();
        all.find_map(|(one, folder)| (*one == controller).then_some(folder.as_path()))
    }

    /// Makes the cgroup `name` with a limit. Answers what a process writes 0 to, to join it;
    /// none: there is no such hierarchy.
    pub(crate) fn limit(
        &self,
        name: &Path,
        controller: Controller,
        limits: &CgroupLimits,
    ) -> io::Result<Option<File>> {
        let Some(folder) = self.folder(controller) else {
            return Ok(None);
        };
        let path = folder.join(name);
        fs::create_dir_all(&path)?;
        for (file, value) in controller.words1(limits) {
            write(&path.join(file), &value)?;
        }
        let procs = path.join("cgroup.procs");
        OpenOptions::new().write(true).open(procs).map(Some)
    }

    /// Takes a process in, where there is such a cgroup.
    pub(crate) fn take_in(&self, name: &Path, pid: u32) -> io::Result<()> {
        for (_, folder) in &self.0 {
            let procs = folder.join(name).join("cgroup.procs");
            if procs.exists() {
                write(&procs, &pid.to_string())?;
            }
        }
        Ok(())
    }

    /// Removes all that was made for limits, with the folders.
    pub(crate) fn remove_all(&self) {
        for (_, folder) in &self.0 {
            remove(folder);
        }
    }

    /// Removes what was made for limits.
    pub(crate) fn remove(&self, name: &Path) {
        for (_, folder) in &self.0 {
            remove(&folder.join(name));
        }
    }
}

/// A line of /proc/self/mounts.
#[derive(Clone, Copy)]
struct Mount<'a> {
    place: &'a Path,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.split(' ').skip(1);
        Some(Self {
            place: Path::new(words.next()?),
            kind: words.next()?,
            options: words.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_have_the_same_name_in_each() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n\
                      cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let root = Path::new("/sys/fs/cgroup/unified/ssi/a");
        let found = Hierarchies::of(mounts, root);
        let cpu = Path::new("/sys/fs/cgroup/cpu,cpuacct/ssi/a");
        assert_eq!(found.folder(Controller::Cpu), Some(cpu));
        let pids = Path::new("/sys/fs/cgroup/pids/ssi/a");
        assert_eq!(found.folder(Controller::Pids), Some(pids));
        assert_eq!(found.folder(Controller::Memory), None);
    }

    proptest! {
        #[test]
        fn whatever_is_mounted(mounts in "([a-z0-9,/ ]{0,40}\n){0,6}", line in ".*") {
            for text in [mounts, line] {
                let found = Hierarchies::of(&text, Path::new("/c/x"));
                prop_assert!(found.0.len() <= text.len());
            }
        }
    }
}
