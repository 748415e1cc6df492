//! One cluster at a time, and nothing stays. Needs root.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use common::binaries;
use common::cluster::testbed;

fn main() -> ExitCode {
    let tests: &[(&str, fn())] = &[
        (
            "fifteen nodes are up within seconds, and stop leaves nothing",
            all_fifteen,
        ),
        ("a second cluster is refused", second),
        ("without a cluster, every verb says so", none),
        (
            "what a killed start left is cleaned by the next one",
            killed_start,
        ),
        ("interrupted, start leaves nothing", interrupted),
        ("a half-written state is cleaned", half_written),
        ("processes from outside end with their node", strangers),
        ("SIGTERM shuts a node down", shutdown),
        ("a start that can't be leaves nothing", impossible),
        ("nodes that go around the network stack", around),
    ];
    let trial = |&(name, test): &(&'static str, fn())| {
        Trial::test(name, move || {
            testbed(&["stop"])?;
            let before = traces();
            test();
            testbed(&["stop"])?;
            let left: Vec<_> = traces().difference(&before).cloned().collect();
            if left.is_empty() {
                return Ok(());
            }
            Err(format!("left behind: {left:#?}").into())
        })
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

/// Everything that a testbed makes on this machine.
fn traces() -> BTreeSet<String> {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut all = BTreeSet::new();
    let mut note = |kind: &str, lines: &str| {
        all.extend(lines.lines().map(|line| format!("{kind} {line}")));
    };
    note("namespace", &output("ip", &["netns", "list"]));
    note(
        "interface",
        &output("ip", &["-br", "link"]).replace(char::is_whitespace, "\n"),
    );
    note(
        "mount",
        &fs::read_to_string("/proc/self/mounts").expect("mounts"),
    );
    note(
        "process",
        &output("pgrep", &["-af", "ssi-testbed (init|cradle)"]),
    );
    for place in ["/run", "/run/ssi-testbed", "/etc/ssi", "/run/netns"] {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            note("file", &entry.path().display().to_string());
        }
    }
    for place in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        if fs::exists(format!("{place}/ssi-testbed")).expect("cgroups") {
            note("cgroup", place);
        }
    }
    all
}

#[track_caller]
fn run(arguments: &[&str]) -> String {
    testbed(arguments).unwrap_or_else(|reason| panic!("{reason}"))
}

fn start(arguments: &[&str]) {
    run(&[&["start", "--no-ssid"], arguments].concat());
}

fn all_fifteen() {
    let before = Instant::now();
    start(&["15"]);
    let took = before.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    for node in 1..=15 {
        let name = run(&["exec", &node.to_string(), "hostname"]);
        assert_eq!(name.trim(), format!("node{node}"));
    }
    run(&["exec", "15", "ping", "-c1", "-W2", "node1"]);
    run(&["exec", "client", "ping", "-c1", "-W2", "node15"]);
    run(&["rm", "2", "15", "7"]);
    let status: serde_json::Value =
        serde_json::from_str(&run(&["status", "-o", "json"])).expect("JSON");
    let up = status["nodes"].as_array().expect("a list").iter();
    assert_eq!(up.filter(|node| node["state"] == "up").count(), 12);
}

fn second() {
    start(&["1"]);
    let reason = testbed(&["start", "2"]).expect_err("there is one");
    assert!(
        reason.contains("a cluster of 1 nodes is running on this machine already"),
        "{reason}"
    );
    assert_eq!(run(&["exec", "1", "hostname"]).trim(), "node1");
}

fn none() {
    for verb in [
        &["status"][..],
        &["rm", "1"],
        &["add", "1"],
        &["exec", "1", "true"],
        &["logs"],
    ] {
        let reason = testbed(verb).expect_err("there is no cluster");
        assert!(
            reason.contains("no cluster is running"),
            "{verb:?}: {reason}"
        );
    }
    // Nothing to do is no failure.
    run(&["stop"]);
}

/// A start in the background, stopped by `signal` once something of it is there.
fn stopped_start(signal: Signal) {
    let mut start = Command::new(binaries::path("ssi-testbed"))
        .args(["start", "15", "--no-ssid"])
        .stderr(Stdio::null())
        .spawn()
        .expect("ssi-testbed");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !fs::exists("/run/netns/ssi-node2").expect("a folder") {
        assert!(Instant::now() < deadline, "it does not start");
        thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(start.id().cast_signed()), signal).expect("it runs");
    assert!(!start.wait().expect("it ran").success());
}

fn killed_start() {
    stopped_start(Signal::SIGKILL);
    start(&["2"]);
    let nodes = run(&["exec", "client", "sh", "-c", "ping -c1 -W2 node2"]);
    assert!(nodes.contains("1 received"));
    assert!(!fs::exists("/run/netns/ssi-node3").expect("a folder"));
    run(&["stop"]);
    // `stop` alone cleans, too.
    stopped_start(Signal::SIGKILL);
}

fn interrupted() {
    stopped_start(Signal::SIGINT);
    let left = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("ssi-")),
        "{left:?}"
    );
}

fn half_written() {
    start(&["2"]);
    let path = "/run/ssi-testbed/state.json";
    let whole = fs::read(path).expect("a state");
    fs::write(path, &whole[..whole.len() / 2]).expect("root");
    start(&["1"]);
    assert!(!fs::exists("/run/netns/ssi-node2").expect("a folder"));
    fs::write(path, "").expect("root");
}

fn strangers() {
    start(&["1"]);
    let mut stranger = Command::new("ip")
        .args(["netns", "exec", "ssi-node1", "sleep", "60"])
        .spawn()
        .expect("ip");
    thread::sleep(Duration::from_millis(200));
    run(&["rm", "1"]);
    assert!(!stranger.wait().expect("it ran").success());
}

fn shutdown() {
    start(&["1"]);
    let node = ["exec", "1", "sh", "-c"];
    run(&[&node[..], &["setsid sh -c 'trap \"echo bye >/var/tmp/bye; exit\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 &"]].concat());
    thread::sleep(Duration::from_millis(200));
    // Whoever asks for it may end with the node, before it can say that all is well.
    let _ = testbed(&[&node[..], &["kill -TERM 1"]].concat());
    let deadline = Instant::now() + Duration::from_secs(5);
    while !run(&["status", "-o", "json"]).contains("\"down\"") {
        assert!(Instant::now() < deadline, "node 1 does not go down");
        thread::sleep(Duration::from_millis(20));
    }
    run(&["add", "1"]);
    assert_eq!(run(&["exec", "1", "cat", "/var/tmp/bye"]).trim(), "bye");
}

fn impossible() {
    let reason = testbed(&["start", "2", "--director", "3"]).expect_err("no node 3");
    assert!(reason.contains("there are nodes 1 to 2"), "{reason}");
    assert!(testbed(&["start", "16"]).is_err());
    assert!(testbed(&["start", "0"]).is_err());
}

/// What nodes say to each other does not come by their interfaces; nor does it stay behind.
fn around() {
    run(&["start", "3", "--bypass"]);
    let segments = || -> u64 {
        // OutSegs of RFC 4022's tcp group.
        let script = "awk '/^Tcp: [0-9]/ { print $12 }' /proc/net/snmp";
        let said = run(&["exec", "1", "sh", "-c", script]);
        said.trim().parse().expect("a number")
    };
    let before = segments();
    run(&["exec", "1", "ssi", "ping", "2", "-c", "100"]);
    let sent = segments() - before;
    // Each of 100 calls over each of four lanes has its request and its answer.
    assert!(sent < 100, "{sent} segments");
}
