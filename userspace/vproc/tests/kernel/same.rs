//! Both sources say the same of the same processes.

use std::collections::HashMap;
use std::time::Duration;

use ssi_vproc::Tracker;
use ssi_vproc::core::{Id, Process, State};

use crate::Test;
use crate::actor::Actor;
use crate::watch::Watch;

pub(crate) const TESTS: &[Test] = &[("both_sources_say_the_same", both_sources_say_the_same)];

/// A clock tick of /proc.
const TICK: u64 = 10_000_000;

/// Each of utime and stime is rounded down to a tick, and the kernel's account of a process
/// that runs is brought up to date at its next tick only.
const TIMES: Duration = Duration::from_millis(24);

fn by_tick(processes: Vec<Process>) -> HashMap<Id, Process> {
    let rounded = |mut process: Process| {
        process.id.start -= process.id.start % TICK;
        (process.id, process)
    };
    processes.into_iter().map(rounded).collect()
}

fn both_sources_say_the_same() {
    let mut watch = Watch::new();
    let kinds = ["thread-ends", "first-thread-ends", "thread-executes"];
    // A container may have no others.
    let mut actors: Vec<_> = kinds
        .into_iter()
        .chain(["wait"; 24])
        .map(Actor::start)
        .collect();
    for actor in &mut actors {
        actor.is_ready();
    }
    let mut kernel = || by_tick(watch.tracker.snapshot().expect("the kernel's").processes);
    let before = kernel();
    let procfs = by_tick(Tracker::by_procfs().snapshot().expect("/proc").processes);
    let after = kernel();
    let mut compared = 0;
    for (id, between) in &procfs {
        let (Some(before), Some(after)) = (before.get(id), after.get(id)) else {
            continue;
        };
        compare(before, between, after);
        compared += 1;
    }
    for actor in &actors {
        assert!(procfs.keys().any(|id| id.pid == actor.pid()));
    }
    assert!(compared >= actors.len(), "{compared}");
    assert!(
        compared + 20 > procfs.len(),
        "{compared} of {}",
        procfs.len()
    );
}

/// `between` is /proc's, the others the kernel's.
fn compare(before: &Process, between: &Process, after: &Process) {
    let about = format!("before {before:?}\n/proc {between:?}\nafter {after:?}");
    let fixed = |p: &Process| {
        let numbers = (p.ppid, p.pgid, p.sid, p.uid, p.euid, p.tty, p.cgroup);
        // /proc adds to the names of the kernel's own threads what they work at.
        let comm = (!p.kernel).then_some(p.comm);
        (numbers, p.size, p.threads, p.nice, p.kernel, comm)
    };
    if fixed(before) == fixed(after) {
        assert_eq!(fixed(between), fixed(after), "{about}");
    }
    // Whoever sleeps and has not been up meanwhile is seen asleep.
    let still = before.voluntary == after.voluntary && before.state == after.state;
    if still && after.state != State::Running {
        assert_eq!(between.state, after.state, "{about}");
    }
    assert!(between.run + TIMES >= before.run, "{about}");
    assert!(between.run <= after.run + TIMES, "{about}");
    assert!(between.wait <= after.wait, "{about}");
    assert!(between.voluntary <= after.voluntary, "{about}");
    assert!(between.involuntary <= after.involuntary, "{about}");
    if before.threads == 1 && after.threads == 1 && never_had_threads(after) {
        assert!(between.wait >= before.wait, "{about}");
        assert!(between.voluntary >= before.voluntary, "{about}");
    }
    // Three counters; of each, a CPU may keep a few dozen pages to itself.
    let cpus = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let apart = 3 * cpus * 64.max(4 * cpus) * 4096;
    let (least, most) = (before.rss.min(after.rss), before.rss.max(after.rss));
    if after.state != State::Zombie && before.threads == 1 {
        assert!(between.rss + apart >= least, "{about}");
        assert!(between.rss <= most + apart, "{about}");
    }
    assert_eq!(
        before.swap.min(between.swap),
        before.swap.min(after.swap),
        "{about}"
    );
}

/// Threads of the kernel surely had none, and sleepers.
fn never_had_threads(process: &Process) -> bool {
    process.kernel || process.comm.to_string() == "sleep"
}
