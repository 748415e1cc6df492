//! What happens while nobody reads.

use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use ssi_loader::ProcOptions;
use ssi_vproc::core::{Change, Status};

use crate::Test;
use crate::watch::Watch;

pub(crate) const TESTS: &[Test] = &[(
    "what_happened_while_nobody_read_is_told",
    what_happened_while_nobody_read_is_told,
)];

/// With a bpffs of its own, in a mount namespace of its own.
fn with_bpffs(test: impl FnOnce(&Path) + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("root");
            let none: Option<&str> = None;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
            let dir = tempfile::tempdir().expect("a directory");
            mount(Some("bpf"), dir.path(), Some("bpf"), MsFlags::empty(), none).expect("a bpffs");
            test(dir.path());
            umount2(dir.path(), MntFlags::MNT_DETACH).expect("unmounts");
        });
    });
}

fn what_happened_while_nobody_read_is_told() {
    with_bpffs(|root| {
        let options = ProcOptions {
            pins: Some(root.to_owned()),
            ..ProcOptions::default()
        };
        drop(Watch::with(&options));
        let mut child = Command::new("sh")
            .args(["-c", "exit 3"])
            .spawn()
            .expect("sh");
        child.wait().expect("a child");
        let watch = Watch::with(&options);
        let told = watch.changes.iter().any(|change| {
            matches!(change, Change::Exited(id, exit)
                if id.pid == child.id() && exit.status == Status::Code(3))
        });
        assert!(told, "{:?}", watch.changes);
    });
}
