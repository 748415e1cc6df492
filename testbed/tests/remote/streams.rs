//! Exit statuses, standard streams, refusals.

use std::process::{Output, Stdio};

use crate::common::Cluster;
use crate::common::host::Host;

fn sh(script: &str) -> Output {
    Host::Node(1).output(&["bash", "-c", script])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn statuses(_: &Cluster) {
    for (script, expected) in [
        ("ssi onnode 2 true", "0"),
        ("ssi onnode 2 sh -c 'exit 7'", "7"),
        ("ssi onnode 2 sh -c 'exit 255'", "255"),
        ("ssi onnode 2 sh -c 'kill -TERM $$'", "143"),
        ("ssi onnode 2 sh -c 'kill -9 $$'", "137"),
        ("ssi onnode 2 sh -c 'kill -SEGV $$'", "139"),
        ("ssi onnode 1 sh -c 'exit 3'", "3"),
        // A signal to the surrogate is one to the command, which may make something of it.
        (
            "ssi onnode 2 bash -c 'trap \"exit 9\" USR1; while :; do sleep 0.05; done' & sleep 0.5; kill -USR1 $!; wait $!",
            "9",
        ),
        (
            "ssi onnode 2 sleep 60 & sleep 0.5; kill -INT $!; kill -TERM $!; wait $!",
            "143",
        ),
        // Whoever reads no more ends who writes.
        (
            "ssi onnode 2 yes | head -n 1 >/dev/null; (exit ${PIPESTATUS[0]})",
            "141",
        ),
        // What is left in the background is not waited for.
        ("ssi onnode 2 sh -c 'sleep 5 & exit 4'", "4"),
        ("ssi onnode 2 sh -c 'yes & exit 5' >/dev/null", "5"),
    ] {
        let output = sh(&format!("{script}; echo status $?"));
        let said = text(&output.stdout);
        let status = format!("status {expected}");
        assert_eq!(
            said.lines().last(),
            Some(status.as_str()),
            "{script}: {output:?}"
        );
    }
    Host::Node(2).output(&["pkill", "sleep"]);
}

pub(crate) fn streams(_: &Cluster) {
    let output = sh("printf 'in\\0put' | ssi onnode 2 sh -c 'cat; echo err >&2; printf \"\\377\"'");
    assert_eq!(output.stdout, b"in\0put\xff", "{output:?}");
    assert_eq!(output.stderr, b"err\n");
    // Its directory, umask, limits and environment are the caller's.
    let script = "mkdir -p /var/tmp && cd /var/tmp && umask 027 && ulimit -n 333 && export A='x y'
        ssi onnode 3 sh -c 'pwd; umask; ulimit -n; echo \"$A\"; hostname'";
    let output = sh(script);
    assert_eq!(
        text(&output.stdout),
        "/var/tmp\n0027\n333\nx y\nnode3\n",
        "{output:?}"
    );
    let output = sh("cd /var/tmp; A=1 ssi onnode -l 3 sh -c 'pwd; echo \"$A,$HOME\"'");
    assert_eq!(text(&output.stdout), "/\n,/root\n", "{output:?}");
    // Of a file, it takes what it reads and no more.
    let script = "seq 5 >/tmp/five; while read n; do echo $n; ssi onnode 2 true; done </tmp/five
        { ssi onnode 2 sh -c 'read a; read b'; cat; } </tmp/five";
    let output = sh(script);
    let all = text(&output.stdout);
    assert!(all.starts_with("1\n2\n3\n4\n5\n"), "{output:?}");
    // An ignored signal stays so: nohup works.
    let output = sh("trap '' HUP; ssi onnode 2 sh -c 'kill -HUP $$; echo alive'");
    assert_eq!(text(&output.stdout), "alive\n", "{output:?}");
}

pub(crate) fn bulk(_: &Cluster) {
    let make =
        "openssl enc -aes-128-ctr -nosalt -K 0 -iv 0 </dev/zero 2>/dev/null | head -c 100000000";
    let output = sh(&format!(
        "{make} | sha256sum; {make} | ssi onnode 2 cat | sha256sum"
    ));
    let said = text(&output.stdout);
    let sums: Vec<_> = said.lines().collect();
    assert!(sums.len() == 2 && sums[0] == sums[1], "{output:?}");
}

pub(crate) fn refused(_: &Cluster) {
    for (script, status, part) in [
        (
            "ssi onnode 2 nosuch",
            127,
            "node 2 node2: nosuch: there is no such command",
        ),
        (
            "ssi onnode 2 /etc/passwd",
            126,
            "/etc/passwd: cannot be executed",
        ),
        (
            "ssi onnode 9 true",
            125,
            "there is no node 9; there are 1 node1",
        ),
        ("ssi onnode", 125, "which node?"),
        ("ssi onclass none true", 125, "no node is of class none"),
        (
            "mkdir -p /tmp/only-here; cd /tmp/only-here; ssi onnode 2 true",
            125,
            "cannot run in /tmp/only-here: No such file",
        ),
        (
            "ssi --socket /nonexistent/x run true",
            125,
            "cannot reach ssid at /nonexistent/run.sock",
        ),
    ] {
        let output = Host::Node(1)
            .command(&["bash", "-c", script])
            .stdin(Stdio::null())
            .output()
            .expect("ssi-testbed");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{script}: {said}");
        assert!(said.contains(part), "{script}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
