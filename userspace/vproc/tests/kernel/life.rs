//! Fork, exec, exit.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use ssi_vproc::core::{Change, State, Status};

use crate::Test;
use crate::actor::Actor;
use crate::watch::Watch;

pub(crate) const TESTS: &[Test] = &[
    ("codes_and_signals", codes_and_signals),
    ("a_life", a_life),
    (
        "the_end_of_a_thread_is_no_end",
        the_end_of_a_thread_is_no_end,
    ),
    (
        "a_process_outlives_its_first_thread",
        a_process_outlives_its_first_thread,
    ),
    (
        "a_thread_that_executes_stays_the_same_process",
        a_thread_that_executes,
    ),
    ("usage_comes_with_the_end", usage_comes_with_the_end),
];

fn codes_and_signals() {
    let mut watch = Watch::new();
    for code in [0, 3, 255] {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exit {code}")])
            .spawn()
            .expect("sh");
        let id = watch.started(child.id());
        child.wait().expect("a child");
        assert_eq!(watch.status(id), Status::Code(code));
    }
    for (signal, name) in [(9, "KILL"), (15, "TERM"), (11, "SEGV")] {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -c 0; kill -{name} $$")])
            .spawn()
            .expect("sh");
        let id = watch.started(child.id());
        let status = child.wait().expect("a child");
        let expected = Status::Signal {
            signal,
            core: status.core_dumped(),
        };
        assert_eq!(watch.status(id), expected, "{name}");
    }
}

fn a_life() {
    let mut watch = Watch::new();
    let mut child = Command::new("sleep").arg("100").spawn().expect("sleep");
    let id = watch.started(child.id());
    watch.until("exec", |watch| {
        watch.changes.contains(&Change::Executed(id)).then_some(())
    });
    // It has some work before it sleeps.
    while watch.process(id).state != State::Sleeping {
        std::thread::sleep(Duration::from_millis(1));
        watch.sample();
    }
    let process = watch.process(id);
    assert_eq!(process.comm.to_string(), "sleep");
    assert_eq!(process.ppid, std::process::id());
    assert_eq!(process.state, State::Sleeping);
    assert!(process.size > 0 && process.threads == 1 && !process.kernel);
    child.kill().expect("ours");
    let killed = Status::Signal {
        signal: 9,
        core: false,
    };
    // Nobody has asked for it yet.
    assert_eq!(watch.status(id), killed);
    watch.sample();
    assert_eq!(watch.process(id).state, State::Zombie);
    child.wait().expect("a child");
    std::thread::sleep(Duration::from_millis(5));
    watch.sample();
    assert!(watch.tracker.table().by_id(id).is_none());
    let ends = watch
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Exited(ended, _) if *ended == id));
    assert_eq!(ends.count(), 1);
}

fn the_end_of_a_thread_is_no_end() {
    let mut watch = Watch::new();
    let mut actor = Actor::start("thread-ends");
    let id = watch.started(actor.pid());
    actor.is_ready();
    watch.sample();
    assert!(!watch.has_ended(id));
    assert_eq!(watch.process(id).threads, 1);
    actor.end();
    assert_eq!(watch.status(id), Status::Code(0));
}

fn a_process_outlives_its_first_thread() {
    let mut watch = Watch::new();
    let mut actor = Actor::start("first-thread-ends");
    let id = watch.started(actor.pid());
    actor.is_ready();
    // It says nothing of its end, so it has to be looked at.
    while watch.tracker.table().by_id(id).map(|p| p.state) != Some(State::Zombie) {
        std::thread::sleep(Duration::from_millis(1));
        watch.sample();
    }
    assert!(!watch.has_ended(id));
    let process = watch.process(id);
    assert!(process.rss > 0, "its other thread has memory");
    assert_eq!(process.threads, 2, "as the kernel counts");
    let status = actor.end();
    assert_eq!(status.code(), Some(5));
    assert_eq!(watch.status(id), Status::Code(5));
}

fn a_thread_that_executes() {
    let mut watch = Watch::new();
    let mut actor = Actor::start("thread-executes");
    let id = watch.started(actor.pid());
    actor.is_ready();
    watch.sample();
    assert_eq!(watch.process(id).threads, 2);
    let status = actor.end();
    assert_eq!(status.code(), Some(4));
    assert_eq!(watch.status(id), Status::Code(4));
    // It began once, executed twice (itself, then sh), and ended once, with one start.
    let story: Vec<_> = watch
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Started(this) if this.pid == id.pid => Some(('s', this.start)),
            Change::Executed(this) if this.pid == id.pid => Some(('x', this.start)),
            Change::Exited(this, _) if this.pid == id.pid => Some(('e', this.start)),
            Change::Vanished(this) if this.pid == id.pid => Some(('v', this.start)),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = "sxxe".chars().map(|what| (what, id.start)).collect();
    assert_eq!(story, expected);
}

fn usage_comes_with_the_end() {
    let mut watch = Watch::new();
    let mut child = Command::new("sh")
        .args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"])
        .stdout(Stdio::null())
        .spawn()
        .expect("sh");
    let id = watch.started(child.id());
    child.wait().expect("a child");
    watch.status(id);
    let exit = watch.changes.iter().find_map(|change| match change {
        Change::Exited(ended, exit) if *ended == id => Some(*exit),
        _ => None,
    });
    let exit = exit.expect("it has ended");
    // All but the last clock tick's worth.
    assert!(exit.run > Duration::from_millis(20), "{exit:?}");
    assert_eq!(exit.utime + exit.stime, exit.run);
    assert!(exit.utime > exit.stime, "{exit:?}");
    assert!(exit.max_rss > 100 << 10, "{exit:?}");
}
