//! The shell's place: mounts of its own, in which /proc is the cluster's.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::{FUSE_SUPER_MAGIC, FsType, PROC_SUPER_MAGIC, statfs};
use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::mount::{
    MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount_change, move_mount,
    open_tree, unmount,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::{CapabilitySet, capabilities};
use ssi_api::process::{NATIVE_PROC, PROC_LOCK, SHELL_PID_MAX, SHELL_PROC};

const PROC: &str = "/proc";

/// Where this process is, and all that it starts.
#[derive(Debug)]
pub(super) struct Place {
    /// `ssid`'s directory, where the shell's /proc is taken from.
    directory: PathBuf,
    /// The mounts among which we were; root can go back for what was mounted since.
    outside: Option<OwnedFd>,
}

/// Whether we are in a shell's place already.
pub(super) fn is_inside() -> bool {
    let native = Path::new(PROC).join(NATIVE_PROC).join("self");
    native.exists()
}

/// This node's own /proc, which can be read from wherever we are then.
pub(super) fn native() -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(open(PROC, flags, Mode::empty())?)
}

/// Whether we are root, with all that it takes.
pub(super) fn is_root() -> bool {
    let effective = capabilities(None).map(|sets| sets.effective);
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SYS_CHROOT;
    rustix::process::geteuid().is_root() && effective.is_ok_and(|has| has.contains(needed))
}

/// Why it can't be entered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Not {
    /// The tree is not there.
    #[error(
        "{0} is not there: does ssid serve clusterwide /proc? see tree.proc in /etc/ssi/ssi.toml, and: journalctl -u ssid -e"
    )]
    Served(PathBuf),
    /// No user namespace.
    #[error(
        "cannot make a user namespace: {0}; this system has them for root only (see sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)"
    )]
    Users(io::Error),
    /// Something else.
    #[error("cannot mount /proc for the shell: {0}")]
    Mounts(#[from] io::Error),
}

impl Place {
    /// Goes there. Must be called while there is one thread.
    pub(super) fn enter(directory: &Path) -> Result<Self, Not> {
        let tree = directory.join(SHELL_PROC);
        if !is(&tree, FUSE_SUPER_MAGIC) {
            return Err(Not::Served(tree));
        }
        let mut place = Self {
            directory: directory.to_owned(),
            outside: None,
        };
        if is_root() {
            place.outside = Some(File::open("/proc/self/ns/mnt")?.into());
            unshare(CloneFlags::CLONE_NEWNS).map_err(io::Error::from)?;
        } else {
            alone()?;
        }
        place.cover()?;
        Ok(place)
    }

    /// Sees to it that /proc is the cluster's; if that is not served any more, the node's own.
    /// Whether it is the cluster's.
    pub(super) fn mend(&self) -> bool {
        while is_dead(Path::new(PROC)) {
            if unmount(PROC, UnmountFlags::DETACH).is_err() {
                return false;
            }
        }
        is(Path::new(PROC), FUSE_SUPER_MAGIC)
            || is(Path::new(PROC), PROC_SUPER_MAGIC) && self.cover().is_ok()
    }

    /// The process that serves the tree, to be told when it ends.
    pub(super) fn server(&self) -> Option<OwnedFd> {
        let text = fs::read_to_string(self.directory.join(PROC_LOCK)).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?)?;
        pidfd_open(pid, PidfdFlags::empty()).ok()
    }

    /// Mounts it over the node's own, and that in it.
    fn cover(&self) -> io::Result<()> {
        let tree = self.tree()?;
        let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let native = open_tree(CWD, PROC, clone | OpenTreeFlags::AT_RECURSIVE)?;
        // Other mounts go on being everybody's, in both directions, where they are so.
        mount_change(PROC, MountPropagationFlags::PRIVATE)?;
        let put = |what: &OwnedFd, at: &str| {
            move_mount(what, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        };
        put(&tree, PROC)?;
        let within = put(&native, &format!("{PROC}/{NATIVE_PROC}"));
        if let Err(error) = within {
            unmount(PROC, UnmountFlags::DETACH)?;
            return Err(error.into());
        }
        // Programs make room for numbers by this. Without, they are cut off, and all else works.
        if let Ok(file) = open_tree(CWD, format!("{PROC}/{SHELL_PID_MAX}"), clone) {
            let _ = put(&file, &format!("{PROC}/{NATIVE_PROC}/sys/kernel/pid_max"));
        }
        Ok(())
    }

    /// The tree, to be mounted.
    fn tree(&self) -> io::Result<OwnedFd> {
        let path = self.directory.join(SHELL_PROC);
        let Some(outside) = &self.outside else {
            return take(&path);
        };
        // A thread of its own goes back for it.
        thread::scope(|scope| {
            let taken = scope.spawn(|| {
                unshare(CloneFlags::CLONE_FS)?;
                setns(outside, CloneFlags::CLONE_NEWNS)?;
                take(&path)
            });
            let ended = |_| io::Error::other("the thread that did it ended");
            taken.join().map_err(ended)?
        })
    }
}

fn take(path: &Path) -> io::Result<OwnedFd> {
    if !is(path, FUSE_SUPER_MAGIC) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    Ok(open_tree(CWD, path, clone)?)
}

/// A user namespace, in which we may mount, with no other user in it.
fn alone() -> Result<(), Not> {
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .map_err(|error| Not::Users(error.into()))?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    Ok(())
}

fn is(path: &Path, kind: FsType) -> bool {
    statfs(path).is_ok_and(|found| found.filesystem_type() == kind)
}

/// Whether its server is gone.
fn is_dead(path: &Path) -> bool {
    use nix::errno::Errno;
    matches!(statfs(path), Err(Errno::ENOTCONN | Errno::ECONNABORTED))
}
