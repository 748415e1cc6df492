//! `ssi shell`: programs that know one machine see the cluster, and act on it.

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod many;
mod native;
mod users;

use std::process::{ExitCode, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::host::{Host, checked};
use common::{Cluster, main as run};

const NODES: u8 = 3;
/// How long what was done on another node may take to be seen there.
const LATE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("ps, top, pgrep and pidof see all nodes", seen),
            ("kill, kill -0 and renice act on the right node", acted),
            (
                "the node's own /proc: substitution, /dev/stdin, oneself, the system",
                native::own,
            ),
            ("statuses and signals are the command's", native::ends),
            (
                "in a terminal: jobs, stops, ps of one's own",
                native::terminal,
            ),
            ("in root's shell users have their rights", users::in_roots),
            ("a user's own shell", users::own),
            (
                "links are told as they are, to whom they may be",
                users::links,
            ),
            ("a thousand processes of another node", many::many),
            ("whoever answers the calls is killed", deaths::supervisor),
            ("ssid is killed in the middle", deaths::daemon),
            ("whoever serves /proc is killed", deaths::server),
            ("nothing is left", deaths::nothing_left),
        ],
    )
}

/// A line of bash in a shell of the cluster.
fn output(host: Host, line: &str) -> Output {
    host.output(&["ssi", "shell", "bash", "-c", line])
}

/// The same, which has to succeed; what it printed.
#[track_caller]
fn shell(host: Host, line: &str) -> String {
    checked(host, &[line], &output(host, line))
}

/// A `sleep` on a node, of as many seconds, started with `prefix`; its clusterwide number.
fn sleeper(cluster: &Cluster, node: u8, seconds: &str, prefix: &str) -> u32 {
    let script = format!("{prefix} setsid sleep {seconds} >/dev/null 2>&1 </dev/null & echo $!");
    let pid: u32 = cluster
        .host(node)
        .sh(&script)
        .trim()
        .parse()
        .expect("a pid");
    let named = format!("until [ \"$(cat /proc/{pid}/comm)\" = sleep ]; do sleep 0.02; done");
    cluster.host(node).sh(&named);
    u32::from(node) << 22 | pid
}

const fn pid(cpid: u32) -> u32 {
    cpid & 0x3f_ffff
}

/// Waits until a node has no such process.
#[track_caller]
fn gone(cluster: &Cluster, cpid: u32) {
    let host = cluster.host(u8::try_from(cpid >> 22).expect("a node"));
    let start = Instant::now();
    while host
        .output(&["kill", "-0", &pid(cpid).to_string()])
        .status
        .success()
    {
        assert!(start.elapsed() < LATE, "{cpid} is there");
        thread::sleep(Duration::from_millis(20));
    }
}

fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn seen(cluster: &Cluster) {
    let all: Vec<u32> = cluster
        .nodes()
        .map(|node| sleeper(cluster, node, "4712", ""))
        .collect();
    let host = cluster.host(1);
    // Those of this node are known by the numbers that they know themselves.
    let wanted = [pid(all[0]), all[1], all[2]];
    let ps = shell(host, "ps -ef");
    for number in wanted {
        let parent = if number == wanted[0] {
            1
        } else {
            number >> 22 << 22 | 1
        };
        let line = ps
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = line.into_iter().find(|line| line[1] == number.to_string());
        let line = line.unwrap_or_else(|| panic!("{number}: {ps}"));
        assert_eq!(line[0], "root");
        assert_eq!(line[2], parent.to_string(), "{line:?}");
        assert_eq!(line[7..], ["sleep", "4712"], "{line:?}");
    }
    let sorted = |text: &str| {
        let mut all = numbers(text);
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(&shell(host, "pgrep -f 'sleep 4712' -x")), wanted);
    let pidof = sorted(&shell(host, "pidof sleep"));
    assert!(
        wanted.iter().all(|number| pidof.contains(number)),
        "{pidof:?}"
    );
    let top = shell(host, "COLUMNS=200 top -b -n1 -w 200");
    for number in wanted {
        assert!(numbers(&top).contains(&number), "{number}: {top}");
    }
    // What ps says of one is what its node says.
    let columns = format!("ps -o pid=,ppid=,pgid=,sid=,args= -p {}", all[1]);
    let one = shell(host, &columns);
    let init = 2 << 22 | 1;
    let own = all[1];
    let words: Vec<_> = one.split_whitespace().collect();
    let numbers = [own, init, own, own].map(|number| number.to_string());
    assert_eq!(words[..4], numbers, "{one}");
    // A node that has just come up has to look first.
    let uptime = "until cat /proc/nodes/3/uptime 2>/dev/null; do sleep 0.1; done";
    let nodes = shell(host, &format!("cat /proc/nodes/2/state; {uptime}"));
    let mut lines = nodes.lines();
    assert_eq!(lines.next(), Some("UP"));
    let uptime: f64 = lines
        .next()
        .and_then(|line| line.parse().ok())
        .expect(&nodes);
    assert!(uptime > 1.0, "{nodes}");
    shell(host, "kill $(pgrep -f 'sleep 4712' -x)");
    for cpid in all {
        gone(cluster, cpid);
    }
}

fn acted(cluster: &Cluster) {
    let host = cluster.host(1);
    let one = sleeper(cluster, 2, "4713", "");
    let other = sleeper(cluster, 2, "4713", "");
    shell(host, &format!("kill -0 {one} && /bin/kill -0 {one}"));
    // A number of this node's own in the cluster is this node's.
    let here = sleeper(cluster, 1, "4713", "");
    shell(host, &format!("kill -0 {here}; kill {here}"));
    gone(cluster, here);
    let renice = shell(
        host,
        &format!("renice -n 7 -p {one}; renice -n 3 -g {other}"),
    );
    assert!(
        renice.contains("old priority 0, new priority 7"),
        "{renice}"
    );
    let nice = |cpid| {
        cluster
            .host(2)
            .run(&["ps", "-o", "ni=", "-p", &pid(cpid).to_string()])
    };
    assert_eq!((nice(one).trim(), nice(other).trim()), ("7", "3"));
    shell(host, &format!("kill -STOP {one}"));
    let state = cluster
        .host(2)
        .run(&["ps", "-o", "stat=", "-p", &pid(one).to_string()]);
    assert!(state.starts_with('T'), "{state}");
    shell(host, &format!("kill -KILL {one}"));
    gone(cluster, one);
    // A process group: `setsid` has made it one.
    shell(host, &format!("kill -TERM -- -{other}"));
    gone(cluster, other);
    for (what, why) in [
        (format!("kill {one}"), "No such process"),
        (format!("kill -- -{other}"), "No such process"),
        (format!("kill -0 {}", 9 << 22 | 1), "No such process"),
        (format!("renice -n 1 -p {one}"), "No such process"),
    ] {
        let output = output(host, &what);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(why),
            "{what}: {said}"
        );
    }
}
