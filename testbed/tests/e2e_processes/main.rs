//! Processes of all nodes: seen from any, signalled from any, by whom they belong to.

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod top;
mod tree;

use std::process::{ExitCode, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::host::{Host, checked};
use common::{Cluster, main as run, view};

const NODES: u8 = 3;
/// How long what has ended may be shown.
const LATE: Duration = Duration::from_secs(1);
/// Becomes nobody, who is in no group.
const NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];
/// Where nobody finds `ssi`.
const SSI: &str = "/run/ssi-of-all";

fn main() -> ExitCode {
    run(
        NODES,
        &[
            (
                "a process of one node is seen from another, killed from a third, gone everywhere",
                seen_and_killed,
            ),
            (
                "a node whose ssid stands still is named, the others are shown",
                silent,
            ),
            (
                "nobody can't kill what is root's on another node, and can what is nobody's",
                users,
            ),
            (
                "whoever burns a processor is seen in the loads",
                commands::loads,
            ),
            (
                "looked up by name on all nodes, signalled by name on two of them",
                commands::by_name,
            ),
            (
                "priorities are changed as the kernel lets the user",
                commands::priorities,
            ),
            ("trees, and who is where", commands::trees),
            ("top, by its keys, in a terminal", top::terminal),
            ("as files, on every node alike", tree::files),
            (
                "files are for whom their node would let see them",
                tree::rights,
            ),
            ("whoever serves the files may be killed", tree::killed),
        ],
    )
}

/// A `sleep` on a node, started with `prefix`; its pid there.
fn sleeper(host: Host, prefix: &[&str]) -> String {
    let prefix = prefix.join(" ");
    let script = format!("{prefix} setsid sleep 4711 >/dev/null 2>&1 </dev/null & echo $!");
    host.sh(&script).trim().to_owned()
}

/// What `ssi ps` says of a process, on a node.
fn shown(cluster: &Cluster, on: u8, process: &str) -> Output {
    let columns = "cpid,node,nodename,pid,args";
    let command = ["ssi", "ps", "-p", process, "-o", columns, "--no-headers"];
    cluster.host(on).output(&command)
}

/// Waits until no node shows a process.
#[track_caller]
fn gone(cluster: &Cluster, process: &str) {
    let start = Instant::now();
    for node in cluster.nodes() {
        loop {
            let output = shown(cluster, node, process);
            if output.status.code() == Some(1) && output.stdout.is_empty() {
                break;
            }
            assert!(start.elapsed() < LATE, "node {node} shows {process}");
            thread::sleep(Duration::from_millis(20));
        }
    }
    println!(
        "    gone everywhere after {} ms",
        start.elapsed().as_millis()
    );
}

/// Waits until a node shows a process as `sleep`: it may be `setsid` for a moment.
#[track_caller]
fn there(cluster: &Cluster, on: u8, process: &str) -> String {
    let start = Instant::now();
    loop {
        let output = shown(cluster, on, process);
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && text.contains("sleep 4711") {
            return text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        assert!(start.elapsed() < LATE, "node {on}: {process}: {output:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn seen_and_killed(cluster: &Cluster) {
    let pid = sleeper(cluster.host(2), &[]);
    let process = format!("2/{pid}");
    let number: u32 = pid.parse().expect("a pid");
    let cpid = (2 << 22 | number).to_string();
    let name = cluster.name(2);
    for node in cluster.nodes() {
        let line = there(cluster, node, &process);
        assert_eq!(line, format!("{cpid} 2 {name} {pid} sleep 4711"));
    }
    let all = cluster.host(1).run(&["ssi", "ps", "-ef"]);
    for node in cluster.nodes() {
        // Each has its first process.
        let first = format!("{node}/1");
        assert!(all.split_whitespace().any(|word| word == first), "{all}");
    }
    assert!(all.contains(&format!(" {process} ")), "{all}");
    let some = ["ssi", "ps", "-e", "--node", "1,3", "-o", "npid="];
    let some = cluster.host(1).run(&some);
    assert!(some.contains("3/1") && !some.contains("2/"), "{some}");
    cluster.host(3).run(&["ssi", "kill", "-0", &process]);
    cluster.host(3).run(&["ssi", "kill", &cpid]);
    gone(cluster, &process);
    let again = cluster.host(3).output(&["ssi", "kill", &process]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("({process}): no such process")),
        "{said}"
    );
    // A process group: `setsid` has made it one of its own.
    let pid = sleeper(cluster.host(2), &[]);
    let process = format!("2/{pid}");
    there(cluster, 1, &process);
    cluster
        .host(3)
        .run(&["ssi", "kill", "-KILL", &format!("2/-{pid}")]);
    gone(cluster, &process);
    // A session, with a process in a group of its own.
    let script = "set -m; sleep 4711 & echo $!; wait";
    let start = format!("setsid bash -c '{script}' >/run/leads 2>/dev/null </dev/null &");
    cluster.host(2).sh(&start);
    let said = "until [ -s /run/leads ]; do sleep 0.02; done; cat /run/leads";
    let child = cluster.host(2).sh(said);
    let child = format!("2/{}", child.trim());
    there(cluster, 1, &child);
    let columns = ["ssi", "ps", "-p", &child, "-o", "sid=,pgid="];
    let end = Instant::now() + Duration::from_secs(10);
    // Its group is its own a moment after it was forked.
    let session = loop {
        let numbers = cluster.host(3).run(&columns);
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        if numbers[0] != numbers[1] {
            break format!("2/{}", numbers[0]);
        }
        assert!(Instant::now() < end, "{numbers:?}");
    };
    let kill = ["ssi", "kill", "-KILL", "--session", &session];
    cluster.host(3).run(&kill);
    gone(cluster, &child);
    gone(cluster, &session);
    let again = cluster.host(3).output(&kill);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("no such session"), "{said}");
}

fn silent(cluster: &Cluster) {
    cluster.host(3).run(&["pkill", "-STOP", "-x", "ssid"]);
    let start = Instant::now();
    let output = cluster.host(1).output(&["ssi", "ps", "-e", "-o", "npid="]);
    let took = start.elapsed();
    let target = cluster.host(1).output(&["ssi", "kill", "-0", "3/1"]);
    cluster.host(3).run(&["pkill", "-CONT", "-x", "ssid"]);
    println!("    shown without it after {} ms", took.as_millis());
    let (text, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(1), "{said}");
    let named = format!("ssi ps: node 3 {} did not answer", cluster.name(3));
    assert!(said.starts_with(&named), "{said}");
    let first = |node| text.lines().any(|line| line.trim() == format!("{node}/1"));
    assert!(first(1) && first(2) && !first(3), "{text}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    let said = String::from_utf8_lossy(&target.stderr);
    assert_eq!(target.status.code(), Some(1), "{said}");
    assert!(said.contains("(3/1): node 3 did not answer"), "{said}");
    view::settled(&cluster.nodes().collect::<Vec<_>>());
    cluster.host(1).run(&["ssi", "ps", "-e"]);
}

/// Runs `ssi` as nobody.
fn as_nobody(host: Host, command: &[&str]) -> Output {
    let ssi = NOBODY.into_iter().chain([SSI]);
    let command: Vec<&str> = ssi.chain(command.iter().copied()).collect();
    host.output(&command)
}

fn kill(host: Host, process: &str) -> Output {
    as_nobody(host, &["kill", process])
}

/// Lets nobody use the control socket of a node, as members of the group ssi may.
fn let_nobody_in(host: Host) {
    host.sh(&format!(
        "install -m 755 \"$(command -v ssi)\" {SSI}; chmod o+x /run/ssi; chmod o+rw /run/ssi/ssid.sock"
    ));
}

/// And no longer.
fn shut_nobody_out(host: Host) {
    host.sh(&format!("rm {SSI}; chmod o-rw /run/ssi/ssid.sock"));
}

fn users(cluster: &Cluster) {
    let host = cluster.host(1);
    let_nobody_in(host);
    let roots = format!("2/{}", sleeper(cluster.host(2), &[]));
    let theirs = format!("2/{}", sleeper(cluster.host(2), &NOBODY));
    there(cluster, 1, &roots);
    there(cluster, 1, &theirs);
    let output = kill(host, &roots);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("({roots}): not permitted")),
        "{said}"
    );
    // Root that may signal nobody else here may not elsewhere.
    let without = ["setpriv", "--bounding-set=-kill", "ssi", "kill", &theirs];
    let output = host.output(&without);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not permitted"), "{said}");
    there(cluster, 1, &theirs);
    checked(host, &["ssi", "kill", &theirs], &kill(host, &theirs));
    gone(cluster, &theirs);
    there(cluster, 1, &roots);
    host.run(&["ssi", "kill", &roots]);
    gone(cluster, &roots);
    shut_nobody_out(host);
}
