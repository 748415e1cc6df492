//! What process tracking leaves in the kernel. Needs root, BPF and BTF; has a bpffs of its
//! own.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::isolated;
use rustix::thread::UnshareFlags;
use ssi_abi::proc::{Event, kind};
use ssi_loader::kernel::{self, Support};
use ssi_loader::{Events, Proc, ProcOptions, unload};

fn options(root: &Path) -> ProcOptions {
    ProcOptions {
        pins: Some(root.to_owned()),
        ring_bytes: 1 << 16,
    }
}

/// A process that ends with this code; its number.
fn ends(code: i32) -> u32 {
    let mut child = Command::new("sh")
        .args(["-c", &format!("exit {code}")])
        .spawn()
        .expect("sh");
    child.wait().expect("a child");
    child.id()
}

/// What the ring has of a process.
fn of(events: &[Event], pid: u32) -> Vec<(u32, u32)> {
    let ours = events.iter().filter(|event| event.pid == pid);
    ours.map(|event| (event.kind, event.status)).collect()
}

fn ring(proc: &mut Proc) -> Events {
    proc.take_events().expect("one reader")
}

fn drain(ring: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| ring.take_next()).collect()
}

#[test]
fn events_are_recorded_while_nobody_reads() {
    isolated(UnshareFlags::empty(), |root| {
        let mut proc = Proc::open(&options(root)).expect("loads");
        assert!(!proc.adopted());
        proc.attach().expect("attaches");
        drop(proc);
        let missed = ends(7);
        let mut proc = Proc::open(&options(root)).expect("loads again");
        assert!(proc.adopted());
        let between = ends(8);
        proc.attach().expect("attaches again");
        let mut ring = ring(&mut proc);
        let life = |code: u32| vec![(kind::FORK, 0), (kind::EXEC, 0), (kind::EXIT, code << 8)];
        let events = drain(&mut ring);
        assert_eq!(of(&events, missed), life(7));
        assert_eq!(of(&events, between), life(8));
        // The kernel lets go of what was replaced a moment after its pin is gone.
        let once = (0..100).any(|_| {
            let after = ends(9);
            let told = of(&drain(&mut ring), after);
            let mut deduplicated = told.clone();
            deduplicated.dedup();
            assert_eq!(deduplicated, life(9));
            std::thread::sleep(Duration::from_millis(20));
            told == life(9)
        });
        assert!(once, "told once");
        assert_eq!(proc.lost().expect("reads"), 0);
    });
}

#[test]
fn a_full_ring_counts_what_it_loses() {
    isolated(UnshareFlags::empty(), |root| {
        let small = ProcOptions {
            ring_bytes: 4096,
            ..options(root)
        };
        let mut proc = Proc::open(&small).expect("loads");
        proc.attach().expect("attaches");
        for _ in 0..20 {
            ends(0);
        }
        // 112 bytes of the ring for each event, of which others' may be among them.
        let lost = proc.lost().expect("reads");
        assert!(lost >= 60 - 4096 / 112, "{lost} lost");
        let kept = drain(&mut ring(&mut proc)).len() as u64;
        assert!((30..=4096 / 112).contains(&kept), "{kept} kept");
        // The counter outlives the process as the ring does.
        drop(proc);
        let proc = Proc::open(&small).expect("loads");
        assert!(proc.lost().expect("reads") >= lost);
    });
}

#[test]
fn unloading_leaves_nothing() {
    isolated(UnshareFlags::empty(), |root| {
        let mut proc = Proc::open(&options(root)).expect("loads");
        proc.attach().expect("attaches");
        assert!(unload(root).expect("unloads"));
        assert!(!root.join("ssi").exists());
        drop(drain(&mut ring(&mut proc)));
        let mut events = Proc::open(&ProcOptions::default()).expect("loads");
        let mut ring = events.take_events().expect("one reader");
        ends(0);
        assert_eq!(ring.take_next(), None, "nothing is attached");
    });
}

#[test]
fn without_pins_it_ends_with_its_owner() {
    isolated(UnshareFlags::empty(), |root| {
        let mut proc = Proc::open(&ProcOptions::default()).expect("loads");
        proc.attach().expect("attaches");
        let pid = ends(1);
        let events = drain(&mut ring(&mut proc));
        assert_eq!(of(&events, pid).last(), Some(&(kind::EXIT, 1 << 8)));
        assert!(!root.join("ssi").exists());
    });
}

#[test]
fn the_queue_is_measured_when_asked() {
    isolated(UnshareFlags::empty(), |_| {
        let mut proc = Proc::open(&ProcOptions::default()).expect("loads");
        assert_eq!(proc.latencies().read().expect("reads"), []);
        proc.measure_queue(true).expect("attaches");
        ends(0);
        proc.measure_queue(false).expect("detaches");
        let turns = proc.latencies().read().expect("reads");
        assert!(turns.iter().map(|(_, count)| count).sum::<u64>() > 0);
        assert!(turns.is_sorted_by_key(|(latency, _)| *latency));
        ends(0);
        assert_eq!(proc.latencies().read().expect("reads"), turns);
    });
}

#[test]
fn what_is_said_of_the_kernel_is_what_it_can_do() {
    isolated(UnshareFlags::empty(), |_| {
        let features = kernel::report();
        let support = |name| features.iter().find(|f| f.name == name).map(|f| f.support);
        // The other tests here have shown all three.
        for name in ["process events", "process snapshots", "run-queue waits"] {
            assert_eq!(support(name), Some(Support::Full), "{name}");
        }
    });
}
