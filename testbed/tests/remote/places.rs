//! Which nodes commands go to, and what they have of whoever wants them.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::Cluster;
use crate::common::host::Host;

pub(crate) fn places(cluster: &Cluster) {
    let one = Host::Node(1);
    let mut lines: Vec<_> = one
        .run(&["ssi", "onall", "hostname"])
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, ["1: node1", "2: node2", "3: node3"]);
    let grouped = one.run(&[
        "ssi",
        "onall",
        "-P",
        "1",
        "-g",
        "sh",
        "-c",
        "echo a; echo b",
    ]);
    assert_eq!(
        grouped,
        "--- 1 node1\na\nb\n--- 2 node2\na\nb\n--- 3 node3\na\nb\n"
    );
    let output = one.output(&[
        "ssi",
        "onall",
        "sh",
        "-c",
        "[ $(hostname) != node2 ] || exit 4",
    ]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let json = one.run(&["ssi", "-o", "json", "onall", "hostname"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["nodes"][2]["stdout"], "node3\n");
    // A class is a word in the configuration.
    Host::Node(3).sh("sed -i 's/^\\[node\\]/[node]\\nclasses = [\"db\"]/' /etc/ssi/ssi.toml");
    cluster.kill_daemon(3);
    cluster.wait_for_daemon(3);
    crate::common::view::settled(&[1, 2, 3]);
    crate::until(one, "ssi onclass db true");
    assert_eq!(one.run(&["ssi", "onclass", "db", "hostname"]), "node3\n");
    // Whoever doesn't say of which classes it is may be of this one.
    Host::Node(2).run(&["pkill", "-STOP", "-x", "ssid"]);
    let output = one.output(&["ssi", "onall", "--class", "db", "hostname"]);
    Host::Node(2).run(&["pkill", "-CONT", "-x", "ssid"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "3: node3\n",
        "{said}"
    );
    assert!(said.contains("node 2 node2 did not say"), "{said}");
    assert_eq!(output.status.code(), Some(125), "{said}");
    crate::common::view::settled(&[1, 2, 3]);
    let near = one.run(&["ssi", "run", "--near", "2/1", "hostname"]);
    assert_eq!(near, "node2\n");
    // The least loaded is one that is not busy.
    let mut hog = Host::Node(1).spawn(&["sh", "-c", "while :; do :; done"]);
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let fastest = one.output(&["ssi", "fastnode"]);
        let number = String::from_utf8_lossy(&fastest.stdout).trim().to_owned();
        if fastest.status.success() && number != "1" {
            break;
        }
        assert!(
            Instant::now() < end,
            "node 1 is busy, and the fastest is {fastest:?}"
        );
        thread::sleep(Duration::from_millis(200));
    }
    let fast = one.run(&["ssi", "fast", "hostname"]);
    assert_ne!(fast, "node1\n");
    hog.kill().expect("it runs");
    hog.wait().expect("it has ended");
    // Detached, it lives on, and is an ordinary process in a session of its own.
    let process = one.run(&["ssi", "run", "--node", "2", "--detach", "sleep", "4711"]);
    let process = process.trim();
    let shown = one.run(&["ssi", "ps", "-p", process, "-o", "args="]);
    assert_eq!(shown.trim(), "sleep 4711");
    let session = Host::Node(2).run(&["sh", "-c", "ps -o pid=,sid= -C sleep | tail -1"]);
    let session: Vec<&str> = session.split_whitespace().collect();
    assert_eq!(session[0], session[1], "process and session");
    Host::Node(3).run(&["ssi", "kill", process]);
}

pub(crate) fn context(_: &Cluster) {
    for (script, expected) in [
        // The command has few descriptors, or few seconds, and what passes on for it has its own.
        ("ulimit -n 10; onnode 2 sh -c 'ulimit -n'", "10"),
        ("ulimit -t 7; onnode 2 sh -c 'ulimit -t'", "7"),
        ("nice -n 3 onnode 2 nice", "3"),
        // What is ignored stays so, SIGPIPE too.
        (
            "trap '' PIPE; onnode 2 grep SigIgn: /proc/self/status | tail -c 5",
            "1000",
        ),
        (
            "onnode 2 grep SigIgn: /proc/self/status | tail -c 5",
            "0000",
        ),
        // A directory that was removed is none, and certainly not the root.
        (
            "mkdir /srv/gone; cd /srv/gone; rmdir /srv/gone; onnode 2 pwd 2>&1 | grep -c 'any more'",
            "1",
        ),
        (
            "onnode -l 2 sh -c 'pwd; echo $USER $HOME' | xargs",
            "/ root /root",
        ),
    ] {
        let said = Host::Node(1).run(&["bash", "-c", script]);
        assert_eq!(said.trim(), expected, "{script}");
    }
}
