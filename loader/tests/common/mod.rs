//! A bpffs and namespaces of its own for each test.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

static TURN: Mutex<()> = Mutex::new(());

/// Runs a test in a fresh mount namespace, and in others that are asked for, on a thread of
/// its own, one at a time; it gets a directory with a bpffs.
pub(crate) fn isolated(others: UnshareFlags, test: impl FnOnce(&Path) + Send) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let fresh = others | UnshareFlags::NEWNS | UnshareFlags::FS;
            // SAFETY: this thread shares no file system state that others rely on.
            unsafe { unshare_unsafe(fresh) }.expect("root");
            let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
            mount_change("/", private).expect("private mounts");
            let dir = tempfile::tempdir().expect("a directory");
            mount("bpf", dir.path(), "bpf", MountFlags::empty(), None).expect("a bpffs");
            test(dir.path());
            unmount(dir.path(), UnmountFlags::DETACH).expect("unmounts");
        });
    });
}
