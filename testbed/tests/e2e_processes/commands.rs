//! `ssi loads`, `pgrep`, `pkill`, `renice`, `pstree`, `where_pid`, `node_pid`.

use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::Cluster;
use crate::common::host::{Host, checked};
use crate::{NOBODY, as_nobody, gone, let_nobody_in, shut_nobody_out, sleeper, there};

/// How long it may take until a load is seen: what nodes export falls slowly, and they have
/// just booted.
const SEEN: Duration = Duration::from_secs(40);

/// Who looks uses processors, too.
const EVERY: Duration = Duration::from_millis(500);

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> Result<(), String>) {
    let start = Instant::now();
    while let Err(seen) = is_so() {
        assert!(start.elapsed() < SEEN, "not in time: {what}: {seen}");
        thread::sleep(EVERY);
    }
}

fn is(wanted: &str, seen: String) -> Result<(), String> {
    (seen == wanted).then_some(()).ok_or(seen)
}

#[track_caller]
fn refused(output: &Output, code: i32, part: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(part), "{said}");
}

pub(crate) fn loads(cluster: &Cluster) {
    let burn = "timeout 90 sh -c ': burner4711; while :; do :; done' >/dev/null 2>&1 </dev/null &";
    cluster.host(2).sh(burn);
    let host = cluster.host(1);
    let exported = |json: &Value, node: usize| json["nodes"][node]["load"]["upper"].as_f64();
    until("node 2 is the busy one", || {
        let json: Value =
            serde_json::from_str(&host.run(&["ssi", "loads", "-o", "json"])).expect("JSON");
        let [one, two, three] = [0, 1, 2].map(|node| exported(&json, node).unwrap_or(0.0));
        let running = json["nodes"][1]["running"].as_u64();
        // On a busy machine those who look wait, too, which counts.
        let is_so = two > 25.0 && two > one && two > three && running > Some(0);
        is_so.then_some(()).ok_or_else(|| json.to_string())
    });
    let short = cluster.host(3).run(&["ssi", "loads", "--short", "-n", "2"]);
    let load = short
        .strip_prefix("2: ")
        .and_then(|load| load.trim().parse::<u32>().ok());
    assert!(load > Some(10), "{short}");
    let table = host.run(&["ssi", "loads", "-o", "wide"]);
    assert!(table.contains(&cluster.name(3)), "{table}");
    host.run(&["ssi", "pkill", "-KILL", "-f", "burner4711"]);
    // What is exported falls slowly.
    until("node 2 is idle again", || {
        let json: Value =
            serde_json::from_str(&host.run(&["ssi", "loads", "-o", "json"])).expect("JSON");
        let is_so = json["nodes"][1]["load"]["load"].as_f64() < Some(20.0);
        is_so.then_some(()).ok_or_else(|| json.to_string())
    });
    // The others are shown without one that stands still.
    cluster.host(3).run(&["pkill", "-STOP", "-x", "ssid"]);
    let output = host.output(&["ssi", "loads", "--short"]);
    let found = host.output(&["ssi", "pgrep", "-x", "ssid"]);
    cluster.host(3).run(&["pkill", "-CONT", "-x", "ssid"]);
    refused(&output, 1, "ssi loads: node 3 ");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.starts_with("1: ") && shown.contains("\n2: "),
        "{shown}"
    );
    refused(&found, 3, "ssi pgrep: node 3 ");
    let shown = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(shown.starts_with("1/") && !shown.contains("3/"), "{shown}");
    crate::common::view::settled(&cluster.nodes().collect::<Vec<_>>());
}

pub(crate) fn by_name(cluster: &Cluster) {
    let host = cluster.host(1);
    let all: Vec<_> = cluster
        .nodes()
        .map(|node| format!("{node}/{}", sleeper(cluster.host(node), &[])))
        .collect();
    all.iter()
        .for_each(|process| drop(there(cluster, 1, process)));
    let pattern = "^sleep 471[1]";
    let found = host.run(&["ssi", "pgrep", "-f", pattern]);
    assert_eq!(found.split_whitespace().collect::<Vec<_>>(), all);
    let named = host.run(&["ssi", "pgrep", "-l", "-x", "-n", "sleep", "-u", "root"]);
    assert_eq!(named.trim(), format!("{} sleep", all[2]));
    let some = host.run(&["ssi", "pgrep", "-d", ",", "-x", "sleep", "--node", "2,3"]);
    assert_eq!(some.trim(), all[1..].join(","));
    refused(
        &host.output(&["ssi", "pgrep", "-x", "nobody-has-this"]),
        1,
        "",
    );
    refused(
        &host.output(&["ssi", "pgrep", "("]),
        2,
        "no regular expression",
    );
    refused(
        &host.output(&["ssi", "pgrep", "-u", "nobody4711", "x"]),
        2,
        "nobody4711",
    );
    refused(
        &host.output(&["ssi", "pgrep", "--node", "9", "x"]),
        3,
        "no node 9",
    );
    let_nobody_in(host);
    let theirs = format!("2/{}", sleeper(cluster.host(2), &NOBODY));
    there(cluster, 1, &theirs);
    // Theirs gets it, root's don't.
    let output = as_nobody(host, &["pkill", "-e", "-f", pattern]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, format!("sleep killed (pid {theirs})\n"));
    refused(&output, 0, "not permitted");
    gone(cluster, &theirs);
    refused(
        &as_nobody(host, &["pkill", "-f", pattern]),
        1,
        "not permitted",
    );
    shut_nobody_out(host);
    host.run(&["ssi", "pkill", "-HUP", "-f", pattern, "--node", "2,3"]);
    gone(cluster, &all[1]);
    gone(cluster, &all[2]);
    there(cluster, 3, &all[0]);
    cluster
        .host(3)
        .run(&["ssi", "pkill", "-x", "sleep", "-P", "1/1,2/1,3/1"]);
    gone(cluster, &all[0]);
}

/// The niceness of a process, as another node sees it.
fn niceness(host: Host, process: &str) -> String {
    host.run(&["ssi", "ps", "-p", process, "-o", "ni="])
        .trim()
        .to_owned()
}

pub(crate) fn priorities(cluster: &Cluster) {
    let host = cluster.host(1);
    let roots = format!("2/{}", sleeper(cluster.host(2), &[]));
    let theirs = format!("3/{}", sleeper(cluster.host(3), &NOBODY));
    there(cluster, 1, &roots);
    there(cluster, 1, &theirs);
    let said = host.run(&["ssi", "renice", "-n", "-5", &roots]);
    let wanted = format!("{roots} (process ID) old priority 0, new priority -5\n");
    assert_eq!(said, wanted);
    until("it is seen", || is("-5", niceness(cluster.host(3), &roots)));
    host.run(&["ssi", "nice", "--relative", "-n", "+7", "-g", &roots]);
    until("it is seen", || is("2", niceness(cluster.host(3), &roots)));
    let_nobody_in(host);
    refused(
        &as_nobody(host, &["renice", "10", &roots]),
        1,
        "not permitted",
    );
    let command = ["renice", "10", "-u", "65534", "--node", "3"];
    checked(host, &command, &as_nobody(host, &command));
    until("it is seen", || is("10", niceness(host, &theirs)));
    refused(
        &as_nobody(host, &["renice", "-n", "3", &theirs]),
        1,
        "only root",
    );
    shut_nobody_out(host);
    refused(
        &host.output(&["ssi", "renice", "3", "2/4000000"]),
        1,
        "no such process",
    );
    refused(&host.output(&["ssi", "renice", "3", "9/1"]), 1, "node 9");
    host.run(&["ssi", "kill", &roots, &theirs]);
    gone(cluster, &roots);
    gone(cluster, &theirs);
}

pub(crate) fn trees(cluster: &Cluster) {
    let host = cluster.host(1);
    let pid = sleeper(cluster.host(3), &[]);
    let process = format!("3/{pid}");
    there(cluster, 1, &process);
    let tree = host.run(&["ssi", "pstree", "-pA"]);
    for node in cluster.nodes() {
        let label = format!("{node} {}", cluster.name(node));
        assert!(tree.contains(&label), "{tree}");
        assert!(tree.contains(&format!("({node}/1)")), "{tree}");
    }
    assert!(tree.contains(&format!("sleep({process})")), "{tree}");
    let alone = host.run(&["ssi", "pstree", "-aU", &process]);
    assert!(alone.trim_end().ends_with("└─sleep 4711"), "{alone}");
    let json: Value =
        serde_json::from_str(&host.run(&["ssi", "-o", "json", "pstree", &process])).expect("JSON");
    assert_eq!(json["processes"][0]["depth"], 0);
    assert_eq!(json["processes"][0]["pid"].to_string(), pid);
    let cpid = (3_u32 << 22 | pid.parse::<u32>().expect("a pid")).to_string();
    for command in ["where_pid", "node_pid"] {
        let node = host.run(&["ssi", command, &cpid, "2/1", "1"]);
        assert_eq!(node, "3\n2\n1\n", "{command}");
    }
    host.run(&["ssi", "kill", &process]);
    gone(cluster, &process);
    refused(
        &host.output(&["ssi", "where_pid", &process]),
        1,
        "no such process",
    );
    refused(&host.output(&["ssi", "pstree", &process]), 1, &process);
    let batch = host.run(&["ssi", "top", "-b", "-n", "2", "-d", "0.5"]);
    assert_eq!(batch.matches("3 of 3 nodes UP").count(), 2, "{batch}");
    let json = host.run(&["ssi", "top", "-b", "-n", "1", "-o", "json", "--node", "2"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["nodes"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["processes"][0]["node"], 2);
}
