//! Nodes that come, go, are drained and switched off.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::common::disturb::{boot, crash};
use super::common::{Cluster, view};
use super::witness::{
    assert_once, beat, in_state, list, next, nodes_of, only, process, read, runs, until,
};

pub(crate) fn each(cluster: &Cluster) {
    only(cluster, 2, &process("each", "favoured = \"all\""));
    until("one on each", || {
        nodes_of(cluster.host(1), "each") == [1, 2, 3, 4]
    });
    crash(&[4]);
    until("three", || nodes_of(cluster.host(1), "each") == [1, 2, 3]);
    boot(&[4]);
    view::settled(&[1, 2, 3, 4]);
    until("four again", || {
        nodes_of(cluster.host(1), "each") == [1, 2, 3, 4]
    });
    for instance in 0..4 {
        assert_once(&format!("each:{instance}"));
    }
    // The others were not disturbed.
    assert_eq!(runs("each:0").len(), 1);
}

pub(crate) fn halts(cluster: &Cluster) {
    only(cluster, 2, &process("halts", "favoured = \"all\""));
    until("one on each", || {
        nodes_of(cluster.host(1), "halts") == [1, 2, 3, 4]
    });
    let broken = "[[process]]\nname = \"halts\"\npath = \"/bin/sh\"\nargs = [\"-c\", \"exit 7\"]\n\
                  favoured = \"all\"\ndown = [7]\n";
    only(cluster, 2, broken);
    let restart = ["ssi", "service", "restart", "halts"];
    let said = cluster.host(3).output(&restart);
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{why}");
    assert!(said.stdout.is_empty(), "{said:?}");
    assert!(
        why.contains("node 1 node1") && why.contains("is down"),
        "{why}"
    );
    assert!(why.contains("not restarted on node 2, 3, 4"), "{why}");
    assert_eq!(nodes_of(cluster.host(1), "halts"), [2, 3, 4]);
    // Repaired, it goes through.
    only(cluster, 2, &process("halts", "favoured = \"all\""));
    let said = cluster.host(3).run(&restart);
    assert_eq!(said.lines().count(), 4, "{said}");
    assert_eq!(nodes_of(cluster.host(1), "halts"), [1, 2, 3, 4]);
    for instance in 0..4 {
        assert_once(&format!("halts:{instance}"));
    }
}

pub(crate) fn drained(cluster: &Cluster) {
    let text: String = ["d1", "d2", "d3"]
        .iter()
        .map(|name| process(name, "favoured = 2\nbackup = \"any\""))
        .collect();
    only(cluster, 1, &text);
    for name in ["d1", "d2", "d3"] {
        in_state(cluster.host(1), name, "ok");
        assert_eq!(next(&format!("{name}:0"), &[]).node, "node2");
    }
    let said = cluster.host(3).run(&["ssi", "drain", "2"]);
    assert!(said.contains("runs nothing"), "{said}");
    for name in ["d1", "d2", "d3"] {
        let now = in_state(cluster.host(1), name, "ok");
        assert_ne!(now["node"], 2, "{now:#?}");
        assert_once(&format!("{name}:0"));
    }
    let shown = cluster.host(1).run(&["ssi", "service", "list"]);
    assert!(shown.contains("drained: 2"), "{shown}");
    cluster.host(4).run(&["ssi", "drain", "--undo", "2"]);
    let shown = cluster.host(1).run(&["ssi", "service", "list"]);
    assert!(!shown.contains("drained"), "{shown}");
}

pub(crate) fn logs(cluster: &Cluster) {
    only(cluster, 1, &process("talks", "favoured = 2\nbackup = [3]"));
    in_state(cluster.host(1), "talks", "ok");
    let mut follow = cluster
        .host(4)
        .spawn(&["ssi", "service", "logs", "-f", "talks"]);
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = lines.clone();
    let out = follow.stdout.take().expect("piped");
    let reader = thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            heard.lock().expect("nobody panics").push(line);
        }
    });
    let has = |node: &str| {
        let lines = lines.lock().expect("nobody panics");
        lines.iter().filter(|line| line.contains(node)).count()
    };
    until("its line on node 2", || has("node2") == 1);
    cluster.host(1).run(&["ssi", "drain", "2"]);
    until("its line on node 3", || has("node3") == 1);
    cluster.host(1).run(&["ssi", "drain", "--undo", "2"]);
    assert_eq!((has("node2"), has("node3")), (1, 1));
    // It ends with its reader.
    let _ = follow.kill();
    let _ = follow.wait();
    cluster.everywhere(|host| {
        let _ = host.output(&["pkill", "-f", "service logs -f talks"]);
    });
    reader.join().expect("it reads to the end");
    let said = cluster.host(1).run(&["ssi", "service", "logs", "talks"]);
    assert!(said.contains("node3") && !said.contains("node2"), "{said}");
}

pub(crate) fn hooks(cluster: &Cluster) {
    // The folder is there.
    beat();
    let script = "#!/bin/sh\necho \"$1 $SSI_HERE $SSI_NODE $SSI_NAME $SSI_STATE $SSI_MEMBERS\" >>/srv/ssi-keepalive-witness/hooks\n";
    cluster.everywhere(|host| {
        for (folder, word) in [("nodeup.d", "up"), ("nodedown.d", "down")] {
            let script = script.replace("$1", word);
            host.sh(&format!("mkdir -p /etc/ssi/{folder}"));
            // Run after it by its name; that it fails keeps nobody.
            let after = "#!/bin/sh\necho \"after-$1 $SSI_HERE $SSI_NODE $SSI_EPOCH\" >>/srv/ssi-keepalive-witness/hooks\nexit 3\n";
            let after = after.replace("$1", word);
            for (name, script) in [("20-after", &after), ("10-tell", &script)] {
                let path = format!("/etc/ssi/{folder}/{name}");
                let write = format!("cat >{path}; chmod 755 {path}");
                host.feed(&["sh", "-c", &write], script.as_bytes());
            }
        }
    });
    crash(&[3]);
    until("three nodes say that node 3 is out", || {
        read("hooks")
            .lines()
            .filter(|line| line.starts_with("down"))
            .count()
            == 3
    });
    boot(&[3]);
    view::settled(&[1, 2, 3, 4]);
    until("they say that it is UP", || {
        let lines = read("hooks");
        ["1", "2", "4"]
            .iter()
            .all(|here| lines.contains(&format!("up {here} 3 node3 UP 1 2 3 4")))
    });
    thread::sleep(Duration::from_secs(1));
    let lines = read("hooks");
    for here in ["1", "2", "4"] {
        let of = |word: &str| {
            let begin = format!("{word} {here} 3 ");
            lines
                .lines()
                .filter(|line| line.starts_with(&begin))
                .count()
        };
        assert_eq!((of("up"), of("down")), (1, 1), "{lines}");
        assert_eq!((of("after-up"), of("after-down")), (1, 1), "{lines}");
        let order: Vec<&str> = (lines.lines())
            .filter_map(|line| {
                let mut words = line.split(' ');
                let word = words.next()?;
                (words.next() == Some(here) && words.next() == Some("3")).then_some(word)
            })
            .collect();
        assert_eq!(order, ["down", "after-down", "up", "after-up"], "{lines}");
    }
    let epochs = |word: &str| -> BTreeSet<u64> {
        let of = lines.lines().filter(|line| line.starts_with(word));
        of.filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect()
    };
    // On all nodes the same view.
    let (down, up) = (epochs("after-down"), epochs("after-up"));
    assert_eq!((down.len(), up.len()), (1, 1), "{lines}");
    assert!(down < up, "{lines}");
    cluster.everywhere(|host| {
        host.sh("rm -r /etc/ssi/nodeup.d /etc/ssi/nodedown.d");
    });
}

pub(crate) fn power(cluster: &Cluster) {
    let text = process("lasting", "favoured = 2\nbackup = \"any\"") + &process("silent", "");
    only(cluster, 1, &text);
    in_state(cluster.host(1), "lasting", "ok");
    in_state(cluster.host(1), "silent", "ok");
    cluster.host(1).run(&["ssi", "service", "stop", "silent"]);
    in_state(cluster.host(1), "silent", "shutdown");
    let before = runs("silent:0").len();
    let first = runs("lasting:0");
    crash(&[1, 2, 3, 4]);
    boot(&[1, 2, 3, 4]);
    view::settled(&[1, 2, 3, 4]);
    next("lasting:0", &first);
    in_state(cluster.host(3), "lasting", "ok");
    assert_eq!(in_state(cluster.host(3), "silent", "shutdown")["errors"], 0);
    assert_eq!(runs("silent:0").len(), before);
    assert_once("lasting:0");
}

pub(crate) fn unloaded(cluster: &Cluster) {
    only(cluster, 1, &process("loaded", "favoured = 3"));
    in_state(cluster.host(1), "loaded", "ok");
    let first = next("loaded:0", &[]);
    cluster
        .host(3)
        .sh("pkill -TERM -x ssid; while pgrep -x ssid; do sleep 0.05; done");
    thread::sleep(Duration::from_millis(200));
    let there = format!("test -d /proc/{}", first.pid);
    assert!(
        cluster
            .host(3)
            .output(&["sh", "-c", &there])
            .status
            .success(),
        "it ended with ssid"
    );
    cluster.host(3).run(&["ssid", "--unload"]);
    assert!(
        !cluster
            .host(3)
            .output(&["sh", "-c", &there])
            .status
            .success(),
        "it runs unloaded"
    );
    cluster.start_daemon(3);
    view::settled(&[1, 2, 3, 4]);
    let second = next("loaded:0", std::slice::from_ref(&first));
    assert_eq!(second.node, "node3");
    assert_once("loaded:0");
}

pub(crate) fn nothing_left(cluster: &Cluster) {
    only(
        cluster,
        1,
        &(process("last", "favoured = \"all\"") + &process("two", "instances = 2")),
    );
    until("all run", || {
        nodes_of(cluster.host(1), "last").len() == 4 && nodes_of(cluster.host(1), "two").len() == 2
    });
    cluster
        .host(2)
        .run(&["ssi", "service", "remove", "last", "two"]);
    for node in cluster.nodes() {
        let host = cluster.host(node);
        until("nothing is kept alive", || list(host).is_empty());
    }
    cluster.everywhere(|host| {
        let left = host.sh("pgrep -f 'ssi-keepalive-witness/[b]eat' || true");
        assert_eq!(left, "", "on {host}");
        let folder = host.sh("sed -n 's/^cgroup = \"\\(.*\\)\"/\\1/p' /etc/ssi/ssi.toml");
        let folder = folder.trim();
        let cgroups = host.sh(&format!("find {folder} -mindepth 1 -type d"));
        assert_eq!(cgroups, "", "on {host}");
    });
}
