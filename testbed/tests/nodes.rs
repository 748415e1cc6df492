//! What a node is: a machine of its own in a shared tree. Needs root.

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::Cluster;
use common::host::Host;

fn main() -> ExitCode {
    common::main(
        3,
        &[
            ("every node has its own name and init", names),
            ("exit status, input and output pass through exec", exec),
            ("ssi goes by the names of the original's commands", original),
            ("what ends without a parent is reaped by init", reaping),
            (
                "/var, /run, /tmp, /dev/shm and /etc/ssi are private",
                private,
            ),
            ("the root tree is shared", shared),
            ("/proc and /sys are of the node", kernel_views),
            (
                "nodes and the client reach each other on their networks",
                networks,
            ),
            (
                "a process of a node is in the node's namespaces",
                namespaces,
            ),
            ("a node that crashes is gone, and nobody is told", crash),
        ],
    )
}

fn names(cluster: &Cluster) {
    for node in cluster.nodes() {
        let host = cluster.host(node);
        assert_eq!(host.run(&["hostname"]).trim(), format!("node{node}"));
        assert_eq!(host.run(&["cat", "/proc/1/comm"]).trim(), "ssi-testbed");
    }
    assert_eq!(Host::Client.run(&["hostname"]).trim(), "client");
}

fn original(cluster: &Cluster) {
    let node = cluster.host(1);
    for name in ssi_api::names::all() {
        assert!(
            node.run(&[name, "--help"]).contains("Exit status"),
            "{name}"
        );
    }
    assert_eq!(node.run(&["clusternode_num"]).trim(), "1");
    assert_eq!(node.run(&["onnode", "2", "hostname"]).trim(), "node2");
}

fn exec(cluster: &Cluster) {
    let node = cluster.host(2);
    for wanted in [0, 1, 7, 255] {
        let output = node.output(&["sh", "-c", &format!("exit {wanted}")]);
        assert_eq!(output.status.code(), Some(wanted));
    }
    let killed = node.output(&["sh", "-c", "kill -9 $$"]);
    assert_eq!(killed.status.code(), Some(128 + 9));
    let missing = node.output(&["there-is-no-such-command"]);
    assert_eq!(missing.status.code(), Some(127));
    assert_eq!(node.feed(&["tr", "a-z", "A-Z"], b"as typed"), "AS TYPED");
    // Words reach the command as they were, options too.
    let words = ["printf", "%s|", "-o", "json", "--", "a b", "$HOME"];
    assert_eq!(node.run(&words), "-o|json|--|a b|$HOME|");
    let nowhere = Host::Node(9).output(&["true"]);
    assert!(!nowhere.status.success());
    let said = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(said.contains("node 9 is not up"), "{said}");
}

fn reaping(cluster: &Cluster) {
    let node = cluster.host(1);
    node.sh("for i in 1 2 3 4 5 6 7 8; do (setsid sleep 0.05 &) ; done");
    let zombies = || node.sh("cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z ' || true");
    let deadline = Instant::now() + Duration::from_secs(3);
    std::thread::sleep(Duration::from_millis(100));
    while zombies().trim() != "0" {
        assert!(Instant::now() < deadline, "zombies stay: {}", zombies());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn private(cluster: &Cluster) {
    for place in ["/var/tmp", "/run", "/tmp", "/dev/shm", "/etc/ssi"] {
        let file = format!("{place}/ssi-testbed-private");
        cluster.host(1).sh(&format!("echo mine >{file}"));
        assert!(
            !std::path::Path::new(&file).exists(),
            "{file} is seen outside"
        );
        let other = cluster.host(2).output(&["test", "-e", &file]);
        assert_eq!(other.status.code(), Some(1), "{file} is seen on node 2");
        cluster.host(1).run(&["rm", &file]);
    }
    // One bpffs each: a pin is seen by its node only.
    cluster.host(1).run(&["mkdir", "/sys/fs/bpf/only-here"]);
    let other = cluster
        .host(2)
        .output(&["test", "-e", "/sys/fs/bpf/only-here"]);
    cluster.host(1).run(&["rmdir", "/sys/fs/bpf/only-here"]);
    assert_eq!(other.status.code(), Some(1));
}

fn shared(cluster: &Cluster) {
    let roots: Vec<_> = cluster
        .nodes()
        .map(|node| {
            cluster
                .host(node)
                .run(&["stat", "-c", "%d:%i", "/", "/usr/bin", "/etc"])
        })
        .collect();
    assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "{roots:?}");
}

fn kernel_views(cluster: &Cluster) {
    let node = cluster.host(3);
    let interfaces = node.run(&["ls", "/sys/class/net"]);
    let mut interfaces: Vec<_> = interfaces.split_whitespace().collect();
    interfaces.sort_unstable();
    assert_eq!(interfaces, ["eth0", "ic0", "lo"]);
    let processes = node.sh("ls -d /proc/[0-9]* | wc -l");
    let count: usize = processes.trim().parse().expect("a number");
    assert!(count < 50, "{count} processes: that is the machine's /proc");
    assert_eq!(
        node.run(&["stat", "-f", "-c", "%T", "/sys/fs/bpf"]).trim(),
        "bpf_fs"
    );
}

fn networks(cluster: &Cluster) {
    for to in [2, 3] {
        for address in [format!("10.77.0.{to}"), format!("fd77::{to}")] {
            cluster.host(1).run(&["ping", "-c1", "-W2", &address]);
        }
    }
    for address in ["10.88.0.1", "fd88::3"] {
        Host::Client.run(&["ping", "-c1", "-W2", address]);
    }
    // The interconnect is the nodes' own.
    let across = Host::Client.output(&["ping", "-c1", "-W1", "10.77.0.1"]);
    assert!(!across.status.success());
}

fn namespaces(cluster: &Cluster) {
    for kind in ["net", "mnt", "pid", "uts", "ipc"] {
        let link = format!("/proc/self/ns/{kind}");
        let here = std::fs::read_link(&link).expect("a namespace");
        let of = |node| {
            cluster
                .host(node)
                .run(&["readlink", &link])
                .trim()
                .to_owned()
        };
        let (one, two) = (of(1), of(2));
        assert_ne!(one, two, "{kind}");
        assert_ne!(one, here.to_string_lossy(), "{kind}");
    }
    let link = "/run/netns/ssi-node1";
    assert!(
        std::path::Path::new(link).exists(),
        "{link}: ip netns exec would not find it"
    );
}

fn crash(cluster: &Cluster) {
    let testbed = |arguments: &[&str]| {
        let output = common::cluster::testbed(arguments);
        output.unwrap_or_else(|reason| panic!("{reason}"))
    };
    cluster
        .host(3)
        .sh("echo kept >/var/tmp/disk; echo lost >/run/memory");
    // Something that would say goodbye if it were asked to end.
    let mut busy = cluster.host(3).spawn(&[
        "sh",
        "-c",
        "trap 'echo goodbye' TERM HUP INT; while :; do sleep 0.1; done",
    ]);
    std::thread::sleep(Duration::from_millis(300));
    testbed(&["rm", "3"]);
    let status = busy.wait().expect("it was started");
    assert!(!status.success());
    let mut said = String::new();
    let mut stdout = busy.stdout.take().expect("piped");
    std::io::Read::read_to_string(&mut stdout, &mut said).expect("text");
    assert_eq!(said, "");
    assert!(
        !cluster
            .host(1)
            .output(&["ping", "-c1", "-W1", "10.77.0.3"])
            .status
            .success()
    );
    assert!(!std::path::Path::new("/run/netns/ssi-node3").exists());

    // Back again, with its disk; and those that are up are skipped.
    let init_of_2 = cluster.host(2).run(&["stat", "-c", "%Y", "/proc/1"]);
    testbed(&["add", "2", "3"]);
    assert_eq!(
        cluster.host(2).run(&["stat", "-c", "%Y", "/proc/1"]),
        init_of_2
    );
    assert_eq!(cluster.host(3).run(&["cat", "/var/tmp/disk"]), "kept\n");
    assert!(
        !cluster
            .host(3)
            .output(&["test", "-e", "/run/memory"])
            .status
            .success()
    );
    cluster.host(1).run(&["ping", "-c1", "-W2", "10.77.0.3"]);
    assert_eq!(cluster.host(3).run(&["hostname"]).trim(), "node3");
}
