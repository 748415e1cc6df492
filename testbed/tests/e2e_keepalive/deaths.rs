//! Deaths: of processes, of daemons, of nodes, of networks.

use std::thread;
use std::time::{Duration, Instant};

use ssi_api::cluster::NodeState;

use super::common::disturb::{boot, crash, fault};
use super::common::{Cluster, view};
use super::hold::Held;
use super::witness::{Run, assert_once, beat, in_state, next, only, process, runs, shown, until};

/// How long after a crash another node runs what ran there, where nobody else wants the
/// machine at that time.
const TAKEOVER: Duration = Duration::from_millis(1_500);
/// So often it may take longer: the machine is shared.
const TRIES: usize = 3;
/// A cut so short that no lease ends by it.
const SHORT: Duration = Duration::from_millis(400);
/// How long it is looked whether something runs twice, after what could make it so.
const AFTER: Duration = Duration::from_secs(2);

pub(crate) fn killed(cluster: &Cluster) {
    only(cluster, 1, &process("fragile", "favoured = 2"));
    in_state(cluster.host(1), "fragile", "ok");
    let first = next("fragile:0", &[]);
    cluster.host(2).sh(&format!("kill -9 {}", first.pid));
    let second = next("fragile:0", std::slice::from_ref(&first));
    assert_eq!(second.node, "node2");
    let now = in_state(cluster.host(3), "fragile", "ok");
    assert_eq!(now["errors"], 1, "{now:#?}");
    let last = now["last"].as_str().unwrap_or_default();
    assert!(last.contains("KILL") || last.contains("signal 9"), "{last}");
    cluster.host(4).run(&["ssi", "service", "clear", "fragile"]);
    until("the error is forgotten", || {
        shown(cluster.host(1), "fragile", 0).is_some_and(|now| now["errors"] == 0)
    });
    assert_once("fragile:0");
}

pub(crate) fn daemon(cluster: &Cluster) {
    only(
        cluster,
        1,
        &process("steady", "favoured = 2\nbackup = \"any\""),
    );
    in_state(cluster.host(1), "steady", "ok");
    let first = next("steady:0", &[]);
    cluster.kill_daemon(2);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(runs("steady:0").len(), 1, "it was disturbed");
    cluster.wait_for_daemon(2);
    let now = in_state(cluster.host(1), "steady", "ok");
    assert_eq!(now["pid"], first.pid, "{now:#?}");
    thread::sleep(Duration::from_millis(500));
    assert_eq!(runs("steady:0").len(), 1);

    cluster.kill_daemon(2);
    cluster.host(2).sh(&format!("kill -9 {}", first.pid));
    let second = next("steady:0", std::slice::from_ref(&first));
    assert_eq!(second.node, "node2");
    let now = in_state(cluster.host(1), "steady", "ok");
    assert_eq!(now["errors"], 1, "{now:#?}");
    // Somebody else had taken its exit code by the time.
    let last = now["last"].as_str().unwrap_or_default();
    assert!(last.contains("KILL") || last.contains("signal 9"), "{last}");
    assert_once("steady:0");
}

/// An upgrade: `ssid` ends, and the next one is another file.
pub(crate) fn upgraded(cluster: &Cluster) {
    only(cluster, 1, &process("kept", "favoured = 3"));
    in_state(cluster.host(1), "kept", "ok");
    let first = next("kept:0", &[]);
    let host = cluster.host(3);
    let kill = |run: &Run| host.sh(&format!("kill -9 {}", run.pid));
    kill(&first);
    let second = next("kept:0", std::slice::from_ref(&first));
    in_state(cluster.host(1), "kept", "ok");
    let end = "pid=$(pgrep -x ssid); kill $pid; while [ -e /proc/$pid ]; do sleep 0.05; done";
    let other = beat().with_file_name("next");
    let other = other.display();
    host.sh(&format!(
        "mkdir -p {other} && cp \"$(command -v ssid)\" {other}/ssid"
    ));

    host.sh(end);
    host.sh(&format!(
        "setsid {other}/ssid >>/run/ssid.log 2>&1 </dev/null &"
    ));
    cluster.wait_for_daemon(3);
    let now = in_state(cluster.host(1), "kept", "ok");
    let (pid, errors) = (second.pid.into(), 1.into());
    assert_eq!((&now["pid"], &now["errors"]), (&pid, &errors), "{now:#?}");

    // And back; meanwhile it dies.
    host.sh(&format!("{end}; kill -9 {}", second.pid));
    // The node's init may have started one already.
    host.sh("sleep 0.2; pgrep -x ssid || setsid ssid >>/run/ssid.log 2>&1 </dev/null &");
    cluster.wait_for_daemon(3);
    let third = next("kept:0", &[first, second]);
    let now = in_state(cluster.host(1), "kept", "ok");
    let (pid, errors) = (third.pid.into(), 2.into());
    assert_eq!((&now["pid"], &now["errors"]), (&pid, &errors), "{now:#?}");
    let last = now["last"].as_str().unwrap_or_default();
    assert!(last.contains("KILL") || last.contains("signal 9"), "{last}");
    view::settled(&[1, 2, 3, 4]);
    assert_once("kept:0");
}

/// Crashes a node on which `name` runs; how long it took until another ran it.
fn crashed(cluster: &Cluster, name: &str, node: u8) -> Duration {
    let instance = format!("{name}:0");
    let before = runs(&instance);
    let start = crash(&[node]);
    let run = next(&instance, &before);
    let took = start.elapsed();
    assert_ne!(run.node, cluster.name(node));
    println!(
        "    {name} runs on {} {} ms after the crash began",
        run.node,
        took.as_millis()
    );
    assert_once(&instance);
    took
}

pub(crate) fn node(cluster: &Cluster) {
    let master = view::of(1).and_then(|view| view.master);
    let victim = (1..=4).find(|node| master != Some(u16::from(*node)));
    let victim = victim.expect("there are four");
    let more = format!("favoured = {victim}\nbackup = \"any\"");
    only(cluster, victim % 4 + 1, &process("mobile", &more));
    in_state(cluster.host(victim), "mobile", "ok");
    assert_eq!(next("mobile:0", &[]).node, cluster.name(victim));
    let mut times = Vec::new();
    let mut at = victim;
    while times.iter().all(|took| *took >= TAKEOVER) {
        assert!(times.len() < TRIES, "{times:?}");
        times.push(crashed(cluster, "mobile", at));
        boot(&[at]);
        view::settled(&[1, 2, 3, 4]);
        thread::sleep(AFTER);
        assert_once("mobile:0");
        let seen = runs("mobile:0");
        assert_eq!(seen.len(), times.len() + 1, "{seen:#?}");
        let now = in_state(cluster.host(at), "mobile", "ok");
        at = now["node"]
            .as_u64()
            .and_then(|node| u8::try_from(node).ok())
            .expect("a node");
    }
}

pub(crate) fn master(cluster: &Cluster) {
    let master = view::of(1).and_then(|view| view.master).expect("a master");
    let victim = u8::try_from(master).expect("a node");
    let more = format!("favoured = {victim}\nbackup = \"any\"");
    only(cluster, victim % 4 + 1, &process("masters", &more));
    in_state(cluster.host(victim), "masters", "ok");
    assert_eq!(next("masters:0", &[]).node, cluster.name(victim));
    crashed(cluster, "masters", victim);
    boot(&[victim]);
    view::settled(&[1, 2, 3, 4]);
    thread::sleep(AFTER);
    assert_once("masters:0");
    assert_eq!(runs("masters:0").len(), 2);
}

pub(crate) fn partition(cluster: &Cluster) {
    only(
        cluster,
        1,
        &process("alone", "favoured = 4\nbackup = \"any\""),
    );
    in_state(cluster.host(1), "alone", "ok");
    let first = next("alone:0", &[]);
    assert_eq!(first.node, "node4");
    fault("partition 4 1,2,3");
    let cut = Instant::now();
    let second = next("alone:0", std::slice::from_ref(&first));
    println!(
        "    on {} {} ms after the cut",
        second.node,
        cut.elapsed().as_millis()
    );
    assert_ne!(second.node, "node4");
    thread::sleep(AFTER);
    assert_once("alone:0");
    // It stands still, and is there.
    let still = format!("test -d /proc/{}", first.pid);
    let there = cluster.host(4).output(&["sh", "-c", &still]);
    println!("    on node4 it stands still: {}", there.status.success());
    fault("heal");
    view::settled(&[1, 2, 3, 4]);
    thread::sleep(AFTER);
    assert_once("alone:0");
    assert_eq!(runs("alone:0").len(), 2, "{:#?}", runs("alone:0"));
    let gone = cluster.host(4).output(&["sh", "-c", &still]);
    assert!(!gone.status.success(), "the old one is still there");

    // A short cut costs nobody a restart.
    for _ in 0..TRIES {
        let before = runs("alone:0");
        let cut = Instant::now();
        fault("partition 4 1,2,3");
        thread::sleep(SHORT / 2);
        fault("heal");
        let cut = cut.elapsed();
        view::settled(&[1, 2, 3, 4]);
        thread::sleep(AFTER);
        if cut < SHORT {
            assert_eq!(runs("alone:0").len(), before.len(), "cut off for {cut:?}");
            return;
        }
    }
    panic!("no cut was short: the machine is too slow for this");
}

/// The kernel of a node goes on without its `ssid`, and so does what is kept alive there; but
/// not longer than the lease.
pub(crate) fn no_daemon(cluster: &Cluster) {
    only(
        cluster,
        1,
        &process("orphan", "favoured = 4\nbackup = \"any\""),
    );
    in_state(cluster.host(1), "orphan", "ok");
    let first = next("orphan:0", &[]);
    let script = "end=$(($(date +%s) + 8)); while [ $(date +%s) -lt $end ]; do pkill -KILL -x ssid; sleep 0.05; done";
    let mut killer = cluster.host(4).spawn(&["sh", "-c", script]);
    until("its ssid is dead", || {
        !cluster
            .host(4)
            .output(&["pgrep", "-x", "ssid"])
            .status
            .success()
    });
    fault("partition 4 1,2,3");
    let second = next("orphan:0", std::slice::from_ref(&first));
    assert_ne!(second.node, "node4");
    thread::sleep(AFTER);
    assert_once("orphan:0");
    // It ends by itself.
    let _ = killer.wait();
    fault("heal");
    cluster.wait_for_daemon(4);
    view::settled(&[1, 2, 3, 4]);
    thread::sleep(AFTER);
    assert_once("orphan:0");
    assert_eq!(runs("orphan:0").len(), 2, "{:#?}", runs("orphan:0"));
}

/// An `ssid` that is there and does not run is no better than none.
pub(crate) fn stopped_daemon(cluster: &Cluster) {
    let text = process("stalled", "favoured = 4\nbackup = \"any\"");
    only(cluster, 1, &text);
    in_state(cluster.host(1), "stalled", "ok");
    let first = next("stalled:0", &[]);
    let ssid = |signal: &str| cluster.host(4).run(&["pkill", signal, "-x", "ssid"]);

    // The kernel renews the lease without it.
    ssid("-STOP");
    thread::sleep(AFTER);
    assert_eq!(runs("stalled:0").len(), 1, "it was disturbed");
    ssid("-CONT");

    // Nor does it stay without a guard.
    let guard = || cluster.host(4).sh("pgrep -x ssid-guard || true");
    let killed = guard();
    assert!(!killed.is_empty(), "there is no guard");
    cluster.host(4).run(&["pkill", "-KILL", "-x", "ssid-guard"]);
    until("another guard", || {
        let now = guard();
        !now.is_empty() && now != killed
    });

    ssid("-STOP");
    fault("partition 4 1,2,3");
    let second = next("stalled:0", std::slice::from_ref(&first));
    assert_ne!(second.node, "node4");
    thread::sleep(AFTER);
    assert_once("stalled:0");
    fault("heal");
    thread::sleep(AFTER);
    assert_once("stalled:0");
    ssid("-CONT");
    view::settled(&[1, 2, 3, 4]);
    thread::sleep(AFTER);
    assert_once("stalled:0");
    assert_eq!(runs("stalled:0").len(), 2, "{:#?}", runs("stalled:0"));
}

/// A lease that is there again is one of another life: what ran in the one before runs
/// elsewhere.
pub(crate) fn late_daemon(cluster: &Cluster) {
    let text = process("late", "favoured = 4\nbackup = \"any\"");
    only(cluster, 1, &text);
    in_state(cluster.host(1), "late", "ok");
    let first = next("late:0", &[]);
    let held = Held::thread(4, "keepalive");
    fault("partition 4 1,2,3");
    let second = next("late:0", std::slice::from_ref(&first));
    assert_ne!(second.node, "node4");
    fault("heal");
    until("it is taken in again", || {
        let view = view::of(1);
        let member = view.as_ref().and_then(|view| view::member(view, 4));
        member.is_some_and(|member| member.state == NodeState::ComingUp)
    });
    thread::sleep(AFTER);
    assert_once("late:0");
    drop(held);
    view::settled(&[1, 2, 3, 4]);
    thread::sleep(AFTER);
    assert_once("late:0");
    assert_eq!(runs("late:0").len(), 2, "{:#?}", runs("late:0"));
}
