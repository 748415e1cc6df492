//! /cluster/proc: the processes of all nodes as files.

use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Cluster;
use crate::common::host::Host;
use crate::{NOBODY, sleeper, there};

const PROC: &str = "/cluster/proc";
/// How long a server that was killed may be away.
const AGAIN: Duration = Duration::from_secs(10);

/// As nobody, who needs nothing of the control socket for this.
fn as_nobody(host: Host, command: &[&str]) -> Output {
    let command: Vec<&str> = NOBODY.into_iter().chain(command.iter().copied()).collect();
    host.output(&command)
}

#[track_caller]
fn refused(output: &Output, part: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(part), "{said}");
}

pub(crate) fn files(cluster: &Cluster) {
    let pid = sleeper(cluster.host(2), &["env", "SSI_TREE=leaf"]);
    let process = format!("2/{pid}");
    there(cluster, 1, &process);
    let number: u32 = pid.parse().expect("a pid");
    let (cpid, parent) = (2 << 22 | number, 2 << 22 | 1);
    let dir = format!("{PROC}/{cpid}");
    for node in cluster.nodes() {
        let host = cluster.host(node);
        let read = |file: &str| host.run(&["cat", &format!("{dir}/{file}")]);
        assert!(
            host.run(&["ls", PROC])
                .lines()
                .any(|name| name == cpid.to_string())
        );
        assert_eq!(read("cmdline"), "sleep\x004711\0");
        assert_eq!(read("comm"), "sleep\n");
        assert_eq!(read("where"), format!("2 {}\n", cluster.name(2)));
        let stat = read("stat");
        assert!(
            stat.starts_with(&format!("{cpid} (sleep) S {parent} {cpid} {cpid} 0 -1 ")),
            "{stat}"
        );
        // When it began is counted from the boot of the node where one looks.
        let began = |on: Host, stat: &str| {
            let start = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(19));
            let start: i64 = start.and_then(|text| text.parse().ok()).expect("a start");
            let booted = on.sh("sed -n 's/^btime //p' /proc/stat");
            booted.trim().parse::<i64>().expect("seconds") + start / 100
        };
        let there = cluster.host(2);
        let own = there.run(&["cat", &format!("/proc/{pid}/stat")]);
        let apart = began(host, &stat) - began(there, &own);
        assert!(apart.abs() <= 2, "{apart} s");
        let status = read("status");
        assert!(
            status.contains(&format!("\nPid:\t{cpid}\nPPid:\t{parent}\n")),
            "{status}"
        );
        assert!(
            read("environ")
                .split('\0')
                .any(|word| word == "SSI_TREE=leaf")
        );
        assert!(read("maps").contains("/sleep"));
        assert!(read("limits").contains("Max open files"));
        let link = |name: &str| host.run(&["readlink", &format!("{dir}/{name}")]);
        assert!(link("exe").ends_with("/sleep\n"));
        let there = |command: &str, name: &str| {
            cluster
                .host(2)
                .run(&[command, &format!("/proc/{pid}/{name}")])
        };
        assert_eq!(link("cwd"), there("readlink", "cwd"));
        assert_eq!(host.run(&["ls", &format!("{dir}/fd")]), there("ls", "fd"));
        assert_eq!(link("fd/1"), "/dev/null\n");
        assert_eq!(host.run(&["cat", &format!("{PROC}/nodes/3/state")]), "UP\n");
        // A node that has just come up has to look first.
        let cpus = format!("{PROC}/nodes/3/cpus");
        let cpus = host.sh(&format!("until cat {cpus} 2>/dev/null; do sleep 0.1; done"));
        assert!(cpus.trim().parse::<u32>().is_ok_and(|cpus| cpus > 0));
        // Whoever looks is there by its own number.
        let own = host.sh(&format!("readlink {PROC}/self; echo $$"));
        let own: Vec<u32> = own.lines().filter_map(|line| line.parse().ok()).collect();
        assert!(
            own[0] >> 22 == u32::from(node) && own[0] & 0x3f_ffff > own[1],
            "{own:?}"
        );
    }
    cluster.host(1).run(&["ssi", "kill", &process]);
    thread::sleep(Duration::from_millis(100));
    refused(
        &cluster.host(3).output(&["cat", &format!("{dir}/stat")]),
        "No such file",
    );
    refused(
        &cluster
            .host(1)
            .output(&["cat", &format!("{PROC}/4194304999/stat")]),
        "No such file",
    );
    refused(
        &cluster.host(1).output(&["touch", &format!("{PROC}/new")]),
        "Read-only",
    );
}

pub(crate) fn rights(cluster: &Cluster) {
    let roots = sleeper(cluster.host(2), &[]);
    let theirs = sleeper(cluster.host(2), &NOBODY);
    for pid in [&roots, &theirs] {
        there(cluster, 1, &format!("2/{pid}"));
    }
    let dir = |pid: &str| format!("{PROC}/{}", 2 << 22 | pid.parse::<u32>().expect("a pid"));
    let (of_root, of_nobody) = (dir(&roots), dir(&theirs));
    for host in [cluster.host(1), cluster.host(2)] {
        for open in ["stat", "status", "cmdline"] {
            let output = as_nobody(host, &["cat", &format!("{of_root}/{open}")]);
            assert!(output.status.success(), "{output:?}");
        }
        for closed in ["environ", "io", "maps"] {
            let output = as_nobody(host, &["cat", &format!("{of_root}/{closed}")]);
            refused(&output, "Permission denied");
            let output = as_nobody(host, &["cat", &format!("{of_nobody}/{closed}")]);
            assert!(output.status.success(), "{closed}: {output:?}");
        }
        refused(
            &as_nobody(host, &["ls", &format!("{of_root}/fd")]),
            "Permission denied",
        );
        assert!(
            !as_nobody(host, &["readlink", &format!("{of_root}/exe")])
                .status
                .success()
        );
        assert!(
            as_nobody(host, &["readlink", &format!("{of_nobody}/exe")])
                .status
                .success()
        );
        // Nor what ssid itself has.
        let ssid = host.run(&["pgrep", "-x", "ssid"]);
        let node = if host == cluster.host(1) { 1 } else { 2 };
        let ssid = node << 22 | ssid.trim().parse::<u32>().expect("a pid");
        refused(
            &as_nobody(host, &["cat", &format!("{PROC}/{ssid}/environ")]),
            "Permission denied",
        );
        refused(
            &as_nobody(host, &["ls", &format!("{PROC}/{ssid}/fd")]),
            "Permission denied",
        );
    }
    for pid in [roots, theirs] {
        cluster.host(3).run(&["ssi", "kill", &format!("2/{pid}")]);
    }
}

pub(crate) fn killed(cluster: &Cluster) {
    let host = cluster.host(1);
    let whoever = format!("{PROC}/{}/comm", 2 << 22 | 1);
    let comm = host.run(&["cat", &whoever]);
    // What is open stays open, and a look waits for the next ssid.
    let looks = format!(
        "exec 3<{PROC}
         pkill -KILL -x ssid
         cat {whoever}; ls /proc/self/fd/3/ | wc -l"
    );
    let seen = host.sh(&looks);
    assert!(seen.starts_with(&comm), "{seen}");
    cluster.wait_for_daemon(1);
    crate::common::view::settled(&cluster.nodes().collect::<Vec<_>>());
    // Without its server it comes again.
    host.run(&["pkill", "-KILL", "-x", "ssid-proc"]);
    let start = Instant::now();
    while !host.output(&["cat", &whoever]).status.success() {
        assert!(start.elapsed() < AGAIN, "{PROC} is gone");
        thread::sleep(Duration::from_millis(100));
    }
    // What waits is interrupted.
    host.run(&["pkill", "-STOP", "-x", "ssid"]);
    let start = Instant::now();
    let output = host.output(&["timeout", "-s", "INT", "0.3", "cat", &whoever]);
    let took = start.elapsed();
    host.run(&["pkill", "-CONT", "-x", "ssid"]);
    assert!(
        !output.status.success() && took < Duration::from_secs(2),
        "{took:?}"
    );
    crate::common::view::settled(&cluster.nodes().collect::<Vec<_>>());
}
