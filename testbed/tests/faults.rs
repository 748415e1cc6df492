//! Faults do what they say, to whom they say, in the direction they say. Needs root.

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::Cluster;
use common::cluster::testbed;
use common::host::Host;

fn main() -> ExitCode {
    common::main(
        3,
        &[
            ("loss is about as much as was asked for", loss),
            ("a cut has two ends, and two directions unless one way", cut),
            (
                "a partition cuts groups, within which all is well",
                partition,
            ),
            ("the external network has faults of its own", external),
            ("a paused node stands still, and goes on", pause),
            ("a killed ssid comes back", kill),
            ("delay works, or says what the kernel lacks", delay),
            ("a crashed node comes back into its faults", again),
            ("nonsense is refused", nonsense),
        ],
    )
}

#[track_caller]
fn fault(arguments: &[&str]) -> String {
    let all = [&["fault"], arguments].concat();
    testbed(&all).unwrap_or_else(|reason| panic!("{reason}"))
}

/// How many of `count` echoes that `from` asks for do not come back.
fn lost(from: Host, to: &str, count: usize) -> usize {
    let count = count.to_string();
    let output = from.output(&["ping", "-q", "-c", &count, "-i", "0.002", "-W", "1", to]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("transmitted"));
    let number = |text: &str| text.split_whitespace().next().and_then(|n| n.parse().ok());
    let mut parts = line.unwrap_or_default().split(", ");
    let sent: usize = parts.next().and_then(number).expect("how many went");
    let back: usize = parts.next().and_then(number).expect("how many came back");
    sent - back
}

fn hears(from: Host, to: &str) -> bool {
    lost(from, to, 1) == 0
}

/// Datagrams that arrive, for what goes one way only.
fn arrives(from: u8, to: u8) -> bool {
    // An address resolution needs both ways; it has to be known before.
    let port = 9000 + u16::from(from) * 16 + u16::from(to);
    let listen = Host::Node(to).spawn(&[
        "timeout",
        "2",
        "sh",
        "-c",
        &format!("tcpdump -i ic0 -c1 -Qin --immediate-mode udp port {port} 2>/dev/null"),
    ]);
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..3 {
        let send = format!("echo x >/dev/udp/10.77.0.{to}/{port}");
        Host::Node(from).output(&["bash", "-c", &send]);
    }
    let output = listen.wait_with_output().expect("it was started");
    output.status.success()
}

fn know_each_other(cluster: &Cluster) {
    for from in cluster.nodes() {
        for to in cluster.nodes().filter(|to| *to != from) {
            let node = cluster.host(from);
            assert!(hears(node, &format!("10.77.0.{to}")), "{from} to {to}");
            let mac = format!("02:00:00:4d:00:{to:02x}");
            let address = format!("10.77.0.{to}");
            node.run(&[
                "ip", "neigh", "replace", &address, "lladdr", &mac, "dev", "ic0",
            ]);
        }
    }
}

fn loss(cluster: &Cluster) {
    fault(&["heal"]);
    let (one, two) = (cluster.host(1), "10.77.0.2");
    assert_eq!(lost(one, two, 300), 0);
    fault(&["loss", "1:2", "20"]);
    // 1,000 frames: five standard deviations are 6.3 %.
    let missing = lost(one, two, 1000);
    assert!((137..=263).contains(&missing), "{missing} of 1000");
    assert_eq!(lost(one, "10.77.0.3", 300), 0);
    assert!(fault(&["list"]).contains("1 → 2: 20 % lost on ic0"));
    fault(&["heal"]);
    assert_eq!(lost(one, two, 300), 0);
    assert_eq!(fault(&["list"]), "");
    // Both ways of a node: 1 − 0.9².
    fault(&["loss", "2", "10"]);
    let missing = lost(one, two, 1000);
    assert!((128..=252).contains(&missing), "{missing} of 1000");
    assert_eq!(lost(one, "10.77.0.3", 300), 0);
    fault(&["heal"]);
}

fn cut(cluster: &Cluster) {
    fault(&["heal"]);
    know_each_other(cluster);
    fault(&["cut", "1", "2"]);
    assert!(!arrives(1, 2) && !arrives(2, 1));
    assert!(arrives(1, 3) && arrives(3, 2));
    fault(&["heal"]);
    fault(&["cut", "1", "2", "--one-way"]);
    assert!(!arrives(1, 2), "the way that was cut");
    assert!(arrives(2, 1), "the other way");
    // IPv6 is cut like IPv4.
    assert!(!hears(cluster.host(1), "fd77::2"));
    fault(&["heal"]);
    assert!(arrives(1, 2));
}

fn partition(cluster: &Cluster) {
    fault(&["heal"]);
    fault(&["partition", "1,2", "3"]);
    assert!(hears(cluster.host(1), "10.77.0.2"));
    assert!(!hears(cluster.host(1), "10.77.0.3"));
    assert!(!hears(cluster.host(3), "10.77.0.2"));
    // The external network is another one.
    assert!(hears(cluster.host(1), "10.88.0.3"));
    fault(&["heal"]);
    assert!(hears(cluster.host(3), "10.77.0.2"));
}

fn external(cluster: &Cluster) {
    fault(&["heal"]);
    fault(&["cut", "1", "client", "--net", "ext"]);
    assert!(!hears(Host::Client, "10.88.0.1"));
    assert!(hears(Host::Client, "10.88.0.2"));
    assert!(hears(cluster.host(1), "10.77.0.2"));
    fault(&["heal"]);
    fault(&["partition", "1", "2,3", "--net", "both"]);
    assert!(!hears(cluster.host(1), "10.88.0.2") && !hears(cluster.host(1), "10.77.0.3"));
    assert!(hears(Host::Client, "10.88.0.1"));
    fault(&["heal"]);
}

fn pause(cluster: &Cluster) {
    fault(&["heal"]);
    let node = cluster.host(2);
    let mut counter = node.spawn(&[
        "sh",
        "-c",
        "while :; do echo >>/run/count; sleep 0.02; done",
    ]);
    std::thread::sleep(Duration::from_millis(200));
    let pid = || {
        let status = testbed(&["status", "-o", "json"]).expect("a status");
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        let node = status["nodes"][1].clone();
        (
            node["pid"].to_string(),
            node["state"].as_str().expect("a word").to_owned(),
        )
    };
    let file = format!("/proc/{}/root/run/count", pid().0);
    let count = || std::fs::metadata(&file).expect("the node's /run").len();
    fault(&["pause", "2"]);
    assert_eq!(pid().1, "paused");
    let then = count();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(count(), then, "it goes on");
    let refused = node.output(&["true"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("node 2 is paused"));
    // Its kernel is this machine's and answers.
    assert!(hears(cluster.host(1), "10.77.0.2"));
    fault(&["resume", "2"]);
    std::thread::sleep(Duration::from_millis(300));
    assert!(count() > then, "it does not go on");
    counter.kill().expect("it ran");
    counter.wait().expect("it ran");
}

fn kill(cluster: &Cluster) {
    let node = cluster.host(3);
    let daemon = || node.sh("pgrep -x ssid || true").trim().to_owned();
    let until = |done: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < deadline, "ssid: \"{}\"", daemon());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    if node
        .output(&["sh", "-c", "command -v ssid"])
        .status
        .success()
    {
        until(&|| !daemon().is_empty());
        let old = daemon();
        fault(&["kill", "3", "ssid"]);
        until(&|| !daemon().is_empty() && daemon() != old);
        let log = testbed(&["logs", "3"]).expect("a log");
        assert!(log.contains("ssid ended: SIGKILL"), "{log}");
    } else {
        eprintln!("there is no ssid: its return was not tested");
    }
    let mut sleeper = node.spawn(&["sleep", "60"]);
    until(&|| node.output(&["pgrep", "-x", "sleep"]).status.success());
    fault(&["kill", "3", "sleep"]);
    assert_eq!(sleeper.wait().expect("it ran").code(), Some(128 + 9));
    let none = testbed(&["fault", "kill", "3", "sleep"]).expect_err("there is none any more");
    assert!(none.contains("no process named \"sleep\""), "{none}");
}

fn delay(cluster: &Cluster) {
    fault(&["heal"]);
    match testbed(&["fault", "delay", "2", "50"]) {
        Ok(_) => {
            let start = Instant::now();
            assert!(hears(cluster.host(1), "10.77.0.2"));
            assert!(start.elapsed() >= Duration::from_millis(50));
        }
        Err(reason) => assert!(reason.contains("netem"), "{reason}"),
    }
    fault(&["heal"]);
}

fn again(_: &Cluster) {
    fault(&["heal"]);
    // On the external network: cut off its master, it would not get into the cluster.
    fault(&["cut", "3", "client", "--net", "ext"]);
    testbed(&["rm", "3"]).expect("it was up");
    testbed(&["add", "3"]).expect("it was down");
    assert!(!hears(Host::Client, "10.88.0.3"));
    fault(&["heal"]);
    assert!(hears(Host::Client, "10.88.0.3"));
}

fn nonsense(_: &Cluster) {
    for (words, why) in [
        (&["loss", "2", "101"][..], "no percentage"),
        (&["loss", "99", "5"], "node number"),
        (&["cut", "1", "client"], "--net ext"),
        (&["pause", "9"], "node 9 is not up"),
        (&["partition", "1,", "2"], "no node"),
    ] {
        let reason = testbed(&[&["fault"], words].concat()).expect_err("nonsense");
        assert!(reason.contains(why), "{words:?}: {reason}");
    }
    assert_eq!(fault(&["list"]), "");
}
