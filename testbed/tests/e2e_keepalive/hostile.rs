//! Services that mean no good, and a node that can't keep anything alive.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::common::{Cluster, view};
use super::witness::{
    BEAT, assert_once, in_state, list, next, only, process, put, runs, shown, until,
};

/// A process with a program of its own, as a configuration has it.
fn own(name: &str, script: &str, more: &str) -> String {
    let path = put(name, script);
    of(name, &path, more)
}

fn of(name: &str, path: &Path, more: &str) -> String {
    let path = path.display();
    format!("[[process]]\nname = \"{name}\"\npath = \"{path}\"\n{more}\n")
}

/// Waits until an instance says why it is as it is; how it is then.
#[track_caller]
fn says(cluster: &Cluster, name: &str, state: &str, why: &str) {
    until(&format!("{name} is {state}: {why}"), || {
        shown(cluster.host(1), name, 0).is_some_and(|now| {
            let said = now["why"].as_str().unwrap_or_default();
            now["state"] == state && said.contains(why)
        })
    });
}

/// It ignores SIGTERM: it goes all the same, and another starts only when it has gone.
pub(crate) fn stubborn(cluster: &Cluster) {
    let deaf = BEAT.replace("exit 0' TERM", "' TERM");
    assert_ne!(deaf, BEAT);
    let more = "favoured = 2\nbackup = [3]\nterm_wait = \"500ms\"";
    only(cluster, 1, &own("stubborn", &deaf, more));
    in_state(cluster.host(1), "stubborn", "ok");
    let first = next("stubborn:0", &[]);
    let start = Instant::now();
    cluster.host(4).run(&["ssi", "drain", "2"]);
    let second = next("stubborn:0", std::slice::from_ref(&first));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert_eq!(second.node, "node3");
    assert_once("stubborn:0");
    cluster.host(4).run(&["ssi", "drain", "--undo", "2"]);
    cluster.host(1).run(&["ssi", "service", "stop", "stubborn"]);
    until("it is not there any more", || {
        shown(cluster.host(1), "stubborn", 0)
            .is_some_and(|now| now["state"] == "shutdown" && now["pid"].is_null())
    });
    let before = runs("stubborn:0");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(runs("stubborn:0"), before, "it goes on");
}

/// It forks as fast as it can: its node goes on, and nothing of it stays.
pub(crate) fn forks(cluster: &Cluster) {
    let bomb = "#!/bin/sh\n# ssi-forks\nwhile :; do ( : & $0 & wait ) 2>/dev/null; done\n";
    let text = own("forks", bomb, "favoured = 3\ncgroup = { pids = 30 }")
        + &process("beside", "favoured = 3");
    only(cluster, 1, &text);
    in_state(cluster.host(1), "forks", "ok");
    let count = || -> usize {
        let said = cluster.host(3).sh("pgrep -fc 'witness/[f]orks' || true");
        said.trim().parse().expect("a number")
    };
    until("it has forked", || count() > 10);
    assert!(count() <= 30, "{}", count());
    let beside = next("beside:0", &[]);
    // The node goes on: its neighbour is there again at once, and everybody is answered.
    cluster.host(3).sh(&format!("kill -9 {}", beside.pid));
    assert_eq!(
        next("beside:0", std::slice::from_ref(&beside)).node,
        "node3"
    );
    in_state(cluster.host(3), "beside", "ok");
    cluster.host(2).run(&["ssi", "service", "restart", "forks"]);
    in_state(cluster.host(2), "forks", "ok");
    cluster.host(2).run(&["ssi", "service", "remove", "forks"]);
    until("nothing of it is left", || count() == 0);
}

/// It ends at once, each time, or says that it is ready and isn't.
pub(crate) fn liars(cluster: &Cluster) {
    let quick =
        "respawn_time = 0\nbackoff = { first = \"10ms\", longest = \"20ms\" }\nerror_limit = 5\n";
    let ends = own(
        "ends",
        "#!/bin/sh\nexit 9\n",
        &format!("favoured = 2\n{quick}"),
    );
    // It says so, and ends; what waits for it must not be there for longer than it is.
    let ready = "#!/usr/bin/python3
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ['NOTIFY_SOCKET'])
s.send(b'READY=1')
os._exit(3)
";
    let ready = own(
        "says",
        ready,
        &format!("favoured = 2\nready = \"notify\"\n{quick}"),
    );
    // Nothing listens where it should.
    let deaf = own(
        "deaf",
        "#!/bin/sh\nexec sleep 1000\n",
        &format!("favoured = 3\nready = {{ port = 9 }}\nready_timeout = \"300ms\"\n{quick}"),
    );
    // It is ready, and not well.
    let unwell = own(
        "unwell",
        "#!/bin/sh\nexec sleep 1000\n",
        &format!(
            "favoured = 3\nhealth = {{ test = {{ port = 9 }}, every = \"100ms\", timeout = \"1s\", failures = 2 }}\n{quick}"
        ),
    );
    let waits = process("waits", "favoured = 4\nafter = [\"deaf\"]");
    only(cluster, 1, &(ends + &ready + &deaf + &unwell + &waits));
    says(cluster, "ends", "down", "last exit code 9");
    says(cluster, "says", "down", "5 errors");
    says(cluster, "deaf", "down", "not ready in time");
    says(cluster, "unwell", "down", "health checks");
    says(cluster, "waits", "start", "waits for deaf");
    assert!(runs("waits:0").is_empty(), "{:#?}", runs("waits:0"));
    for name in ["ends", "says", "deaf", "unwell"] {
        let now = in_state(cluster.host(4), name, "down");
        assert_eq!(now["errors"], 5, "{now:#?}");
    }
}

/// It writes more than anybody wants to keep; and its log can still be read.
pub(crate) fn writes(cluster: &Cluster) {
    let script = "#!/bin/sh\nwhile :; do head -c 300000 /dev/zero | tr '\\0' x | fold -w 99; date +%s%N; sleep 0.1; done\n";
    let more = "favoured = 4\nlog = { size = \"256K\", keep = 1 }";
    only(cluster, 1, &own("writes", script, more));
    in_state(cluster.host(1), "writes", "ok");
    let size = |what: &str| -> u64 {
        let said = cluster.host(4).sh(&format!(
            "du -k {what} 2>/dev/null | awk '{{ s += $1 }} END {{ print s + 0 }}'"
        ));
        said.trim().parse().expect("a number")
    };
    let file = "/var/log/ssi/writes.log";
    until("its oldest lines are elsewhere", || {
        size(&format!("{file}.1")) > 0
    });
    thread::sleep(Duration::from_secs(6));
    // Sizes are looked at every 5 s, in which it writes 15 MB at most; and there are two files.
    let all = size(&format!("{file}*"));
    assert!(all < 45_000, "{all} kB");
    let said = cluster
        .host(1)
        .run(&["ssi", "service", "logs", "-n", "3", "writes"]);
    assert!(said.lines().count() >= 3, "{said}");
}

/// Its pid is another's by the time that a new `ssid` looks.
pub(crate) fn pids(cluster: &Cluster) {
    only(cluster, 1, &process("reused", "favoured = 2\nbackup = [3]"));
    in_state(cluster.host(1), "reused", "ok");
    let first = next("reused:0", &[]);
    // All in one go: the next ssid is started a second after the end of the last. The number is
    // taken as long as a child is left, whose session it is.
    let script = format!(
        "pkill -KILL -x ssid; kill -9 {0}; while [ -e /proc/{0} ]; do sleep 0.01; done
         for n in $(seq 40); do
             echo $(({0} - 1)) >/proc/sys/kernel/ns_last_pid
             setsid sleep 1000 >/dev/null 2>&1 </dev/null & stranger=$!
             [ $stranger = {0} ] && exit 0
             kill $stranger
             sleep 0.01
         done
         exit 1",
        first.pid
    );
    cluster.host(2).sh(&script);
    cluster.wait_for_daemon(2);
    let second = next("reused:0", std::slice::from_ref(&first));
    assert_eq!(second.node, "node2");
    assert_ne!(second.pid, first.pid);
    cluster.host(1).run(&["ssi", "service", "stop", "reused"]);
    in_state(cluster.host(1), "reused", "shutdown");
    // The stranger was let alone.
    let name = cluster.host(2).sh(&format!("cat /proc/{}/comm", first.pid));
    assert_eq!(name.trim(), "sleep");
    cluster.host(2).sh(&format!("kill {}", first.pid));
    assert_once("reused:0");
}

/// It says that it can't run on a node.
pub(crate) fn rejects(cluster: &Cluster) {
    let script = BEAT.replace("trap", "[ $node = node2 ] && exit 42\ntrap");
    let more = "favoured = 2\nbackup = [3]\nreject = [42]\ndown = [43]";
    only(cluster, 1, &own("rejects", &script, more));
    let run = next("rejects:0", &[]);
    assert_eq!(run.node, "node3");
    let now = in_state(cluster.host(4), "rejects", "ok");
    assert_eq!(
        (&now["node"], &now["errors"]),
        (&3.into(), &1.into()),
        "{now:#?}"
    );
    let last = now["last"].as_str().unwrap_or_default();
    assert!(last.contains("exit code 42"), "{now:#?}");
    assert_once("rejects:0");
}

/// A node without cgroup2 keeps nothing alive, and says so; others do what it was to.
pub(crate) fn no_cgroups(cluster: &Cluster) {
    let swap = |from: &str, to: &str| {
        cluster.host(4).sh(&format!(
            "sed -i 's!^cgroup = \"{from}/!cgroup = \"{to}/!' /etc/ssi/ssi.toml
             grep -q '^cgroup = \"{to}/' /etc/ssi/ssi.toml"
        ));
        cluster.kill_daemon(4);
        cluster.wait_for_daemon(4);
        view::settled(&[1, 2, 3, 4]);
    };
    only(cluster, 1, "");
    until("nothing is kept alive", || list(cluster.host(4)).is_empty());
    swap("/sys", "/tmp");
    let text = process("bare", "favoured = 4\nbackup = [3]") + &process("held", "favoured = 4");
    only(cluster, 1, &text);
    assert_eq!(next("bare:0", &[]).node, "node3");
    until("node 4 says why", || {
        shown(cluster.host(1), "held", 0).is_some_and(|now| {
            let why = now["why"].as_str().unwrap_or_default();
            why.contains("nothing can be kept alive on node 4") && why.contains("cgroup2")
        })
    });
    swap("/tmp", "/sys");
    in_state(cluster.host(1), "held", "ok");
    assert_eq!(next("held:0", &[]).node, "node4");
    assert_once("bare:0");
}
