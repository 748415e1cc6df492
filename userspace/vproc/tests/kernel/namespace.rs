//! A pid namespace of its own, as a light node of the testbed has.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use ssi_vproc::Tracker;
use ssi_vproc::core::{Change, Id, Snapshot, Status};

use crate::Test;
use crate::actor::Actor;
use crate::watch::Watch;

pub(crate) const TESTS: &[Test] = &[("a_node_sees_its_own_only", a_node_sees_its_own_only)];

/// Starts an actor as process 1 of a new pid namespace, and ends as it ends.
pub(crate) fn hatch(next: &str) -> ExitCode {
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).expect("root");
    let own = std::env::current_exe().expect("it has a file");
    let status = Command::new(own)
        .arg(format!("actor:{next}"))
        .status()
        .expect("it starts");
    ExitCode::from(status.code().map_or(101, |code| code as u8))
}

fn a_node_sees_its_own_only() {
    // What happens outside must not be seen inside.
    let outside = std::thread::spawn(|| {
        for _ in 0..200 {
            Command::new("true").status().expect("true");
        }
    });
    let mut watch = Watch::new();
    let actor = Actor::start("hatch=inside");
    let hatcher = actor.pid();
    assert!(actor.end().success(), "as said above");
    outside.join().expect("it ends");
    // We are not inside, so we see it too, by our numbers.
    watch.update();
    let seen = watch
        .changes
        .iter()
        .any(|change| matches!(change, Change::Started(id) if id.pid == hatcher));
    assert!(seen);
}

fn pids(snapshot: &Snapshot) -> BTreeSet<u32> {
    snapshot.processes.iter().map(|p| p.id.pid).collect()
}

/// Process 1 of the namespace.
pub(crate) fn inside() {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none).expect("our own /proc");
    let mut watch = Watch::new();
    let mut procfs = Tracker::by_procfs();
    let mut child = Actor::start("wait");
    // In a namespace inside ours: it has a number here too.
    let mut nested = Actor::start("hatch=wait");
    child.is_ready();
    nested.is_ready();
    let first = watch.started(child.pid());
    assert_eq!(std::process::id(), 1);

    let kernel = watch.tracker.snapshot().expect("the kernel's");
    let expected = pids(&procfs.snapshot().expect("that of /proc"));
    assert_eq!(pids(&kernel), expected);
    assert_eq!(
        expected.len(),
        4,
        "we, a child, a hatcher, and who it hatched"
    );
    let of = |pid: u32| {
        kernel
            .processes
            .iter()
            .find(|p| p.id.pid == pid)
            .expect("it is there")
    };
    assert_eq!((of(1).ppid, of(child.pid()).ppid), (0, 1));
    assert_eq!((of(1).pgid, of(1).sid), (0, 0), "of groups outside");
    let inmost = kernel.processes.iter().find(|p| p.ppid == nested.pid());
    let inmost = inmost.expect("it has a number here").id;
    assert!(watch.changes.contains(&Change::Started(inmost)));

    assert!(child.end().success());
    assert_eq!(watch.status(first), Status::Code(0));
    assert!(nested.end().success());
    assert_eq!(watch.status(inmost), Status::Code(0));
    reuse(&mut watch, first.pid);
    // All that was told is about numbers that this namespace has given.
    for change in &watch.changes {
        let (Change::Started(id)
        | Change::Executed(id)
        | Change::Exited(id, _)
        | Change::Vanished(id)) = change;
        assert!(id.pid < 100, "{change:?}");
    }
}

/// A number is given again: it is somebody else.
fn reuse(watch: &mut Watch, pid: u32) {
    let mut ids: Vec<Id> = Vec::new();
    for code in [6, 7, 8] {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).expect("ours");
        let mut child = Command::new("sh")
            .args(["-c", &format!("exit {code}")])
            .spawn()
            .expect("sh");
        assert_eq!(child.id(), pid);
        // Nobody reads until it is gone and the next one is there.
        child.wait().expect("a child");
        if code == 7 {
            continue;
        }
        let id = watch.started(pid);
        assert!(!ids.contains(&id));
        assert_eq!(watch.status(id), Status::Code(code));
        ids.push(id);
    }
    let stories = watch.changes.iter().filter_map(|change| match change {
        Change::Exited(id, exit) if id.pid == pid => Some((id.start, exit.status)),
        _ => None,
    });
    let codes = [0, 6, 7, 8].map(Status::Code);
    let stories: Vec<_> = stories.collect();
    assert_eq!(
        stories
            .iter()
            .map(|(_, status)| *status)
            .collect::<Vec<_>>(),
        codes
    );
    assert!(stories.is_sorted_by_key(|(start, _)| *start));
}
