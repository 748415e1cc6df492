//! Ten thousand processes.

use std::process::ExitCode;

use ssi_vproc::core::{Process, Snapshot};
use ssi_vproc::{Source, Tracker};

use crate::Test;
use crate::actor::{Actor, wait};
use crate::watch::Watch;

pub(crate) const TESTS: &[Test] = &[("ten_thousand_come_and_go", ten_thousand_come_and_go)];

const COUNT: usize = 10_000;

/// Forks so many processes that do nothing, until it is told to go on; then kills them.
pub(crate) fn lead(count: usize) -> ExitCode {
    // Whatever becomes of us, they go with us.
    let mut herd = Vec::with_capacity(count);
    for _ in 0..count {
        // SAFETY: this process has one thread, and the child calls nothing but the kernel.
        match unsafe { libc::fork() } {
            // SAFETY: as said.
            0 => unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                loop {
                    libc::pause();
                }
            },
            pid if pid > 0 => herd.push(pid),
            _ => panic!("cannot fork: {}", std::io::Error::last_os_error()),
        }
    }
    wait();
    for pid in herd {
        // SAFETY: our own child, which nobody has waited for.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
    ExitCode::SUCCESS
}

fn of(parent: u32, snapshot: &Snapshot) -> Vec<&Process> {
    let children = snapshot.processes.iter().filter(|p| p.ppid == parent);
    children.collect()
}

fn ten_thousand_come_and_go() {
    let mut watch = Watch::new();
    let mut actor = Actor::start(&format!("herd={COUNT}"));
    actor.is_ready();
    let parent = actor.pid();
    // Nobody has read all that time, so the ring has run over.
    let Source::Kernel(kernel) = watch.tracker.source() else {
        panic!("it traces");
    };
    assert!(kernel.lost().expect("reads") > 0);
    watch.update();
    let known = watch
        .tracker
        .table()
        .processes()
        .filter(|p| p.ppid == parent);
    assert_eq!(known.count(), COUNT);
    assert!(!watch.tracker.table().wants_snapshot());

    let snapshot = watch.tracker.snapshot().expect("the kernel's");
    assert_eq!(of(parent, &snapshot).len(), COUNT);
    let procfs = Tracker::by_procfs().snapshot().expect("that of /proc");
    assert_eq!(of(parent, &procfs).len(), COUNT);

    actor.end();
    watch.update();
    watch.sample();
    let left = watch
        .tracker
        .table()
        .processes()
        .filter(|p| p.ppid == parent);
    assert_eq!(left.count(), 0);
}
