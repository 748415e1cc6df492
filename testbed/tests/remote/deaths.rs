//! Who dies, and what the others do.

use std::time::{Duration, Instant};

use crate::common::Cluster;
use crate::common::disturb;
use crate::common::host::Host;
use crate::until;

/// A command that notes which signal ended it.
const NOTES: &str =
    "trap 'echo hup >/run/noted; exit' HUP; echo begun >/run/noted; while :; do sleep 0.05; done";

pub(crate) fn caller(_: &Cluster) {
    let script = format!("exec ssi onnode 2 bash -c \"{NOTES}\"");
    let mut caller = Host::Node(1).spawn(&["bash", "-c", &script]);
    until(Host::Node(2), "grep -q begun /run/noted");
    Host::Node(1).sh("pkill -KILL -f 'ssi onnode 2 bas[h]'");
    until(Host::Node(2), "grep -q hup /run/noted");
    caller.wait().expect("it has ended");
    // The whole node of the caller.
    let mut caller = Host::Node(3).spawn(&["bash", "-c", &script]);
    until(Host::Node(2), "grep -q begun /run/noted");
    disturb::crash(&[3]);
    until(Host::Node(2), "grep -q hup /run/noted");
    let _ = caller.wait();
    disturb::boot(&[3]);
}

pub(crate) fn session(_: &Cluster) {
    let script = format!("ssi onnode 2 bash -c \"{NOTES}\"; echo status $?");
    let caller = Host::Node(1).spawn(&["bash", "-c", &script]);
    until(Host::Node(2), "grep -q begun /run/noted");
    Host::Node(2).sh("kill -KILL $(ps -o ppid= -p $(pgrep -o -f 'trap .ech[o]'))");
    let output = caller.wait_with_output().expect("it has ended");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out, "status 255\n", "{err}");
    assert!(err.contains("lost the command on node 2 node2"), "{err}");
    until(Host::Node(2), "grep -q hup /run/noted");
}

pub(crate) fn daemons(cluster: &Cluster) {
    let make =
        "openssl enc -aes-128-ctr -nosalt -K 0 -iv 0 </dev/zero 2>/dev/null | head -c 60000000";
    // It takes four seconds at least.
    let slow = "open F, q(>/run/piece); print F 1; close F;
        while (sysread STDIN, $b, 65536) { syswrite STDOUT, $b; select undef, undef, undef, 0.004 }";
    let script = format!("{make} | sha256sum; {make} | ssi onnode 2 perl -e '{slow}' | sha256sum");
    let transfer = Host::Node(1).spawn(&["bash", "-c", &script]);
    until(Host::Node(2), "[ -s /run/piece ]");
    for node in [1, 2] {
        cluster.kill_daemon(node);
    }
    for node in [1, 2] {
        cluster.wait_for_daemon(node);
    }
    let output = transfer.wait_with_output().expect("it has ended");
    let said = String::from_utf8_lossy(&output.stdout);
    let sums: Vec<_> = said.lines().collect();
    assert!(sums.len() == 2 && sums[0] == sums[1], "{output:?}");
    crate::common::view::settled(&[1, 2, 3]);
}

pub(crate) fn node(cluster: &Cluster) {
    // The surrogate's daemon is another than the one that has introduced it.
    let script = "ssi onnode 3 sleep 1000; echo status $?";
    let caller = Host::Node(1).spawn(&["bash", "-c", script]);
    until(Host::Node(3), "pgrep -f 'sleep 100[0]'");
    cluster.kill_daemon(1);
    cluster.wait_for_daemon(1);
    crate::common::view::settled(&[1, 2, 3]);
    let begin = disturb::crash(&[3]);
    let output = caller.wait_with_output().expect("it has ended");
    let took = begin.elapsed();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out, "status 255\n", "{err}");
    assert!(err.contains("node 3 node3 went down (epoch "), "{err}");
    println!("    known after {} ms", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
    disturb::boot(&[3]);
}

pub(crate) fn detached(cluster: &Cluster) {
    let said = Host::Node(3).run(&["onnode", "--detach", "2", "sleep", "4712"]);
    // Whoever has started it, the daemon that has introduced it, and its own node's.
    disturb::crash(&[3]);
    cluster.kill_daemon(2);
    cluster.wait_for_daemon(2);
    disturb::boot(&[3]);
    crate::common::view::settled(&[1, 2, 3]);
    let there = Host::Node(2).run(&["pgrep", "-f", "sleep 471[2]"]);
    assert_eq!(said.trim(), format!("2/{}", there.trim()));
    Host::Node(1).run(&["ssi", "kill", said.trim()]);
}

pub(crate) fn nothing_left(cluster: &Cluster) {
    let end = Instant::now() + Duration::from_secs(10);
    for node in cluster.nodes() {
        let host = Host::Node(node);
        // Those that wait are the daemon's children.
        let busy = "for p in $(pgrep -x ssi-session); do [ \"$(ps -o ppid= -p $p | tr -d ' ')\" = \"$(pgrep -x ssid)\" ] || echo $p; done
            [ \"$(pgrep -c -x ssi-session)\" -le 16 ] || echo many
            ps -eo stat=,ppid=,pid=,comm= | grep '^Z' || true
            ss -Htn state established '( sport = :7119 or dport = :7119 )'";
        loop {
            let left = host.run(&["bash", "-c", busy]);
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "left on node {node}: {left}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
