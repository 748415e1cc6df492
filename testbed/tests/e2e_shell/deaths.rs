//! What a shell is without those that serve it.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Cluster, view};
use crate::{gone, shell, sleeper};

/// How long what was killed may be away.
const AGAIN: Duration = Duration::from_secs(20);

pub(crate) fn supervisor(cluster: &Cluster) {
    let host = cluster.host(1);
    let cpid = sleeper(cluster, 2, "4717", "");
    // The shell's parent answers its calls. The shell goes on, and nobody hangs.
    let line = format!(
        "kill -KILL $PPID; sleep 0.1
         kill -0 {cpid} 2>&1; kill -0 $$ && cat <(echo on) && ps -o args= -p {cpid}"
    );
    let begun = Instant::now();
    let script = format!("ssi shell bash -c '{line}' >/run/said 2>&1 || :; sleep 1; cat /run/said");
    let said = host.sh(&script);
    assert!(said.contains("not implemented"), "{said}");
    assert!(said.ends_with("on\nsleep 4717\n"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    shell(host, &format!("kill {cpid}"));
    gone(cluster, cpid);
}

pub(crate) fn daemon(cluster: &Cluster) {
    let host = cluster.host(1);
    let cpid = sleeper(cluster, 2, "4718", "");
    let ssid = host.run(&["pgrep", "-x", "ssid"]);
    let ssid = ssid.trim();
    // It is started again, and has to hear from the others first.
    let line = format!(
        "kill -0 {cpid} || exit 1; kill -KILL {ssid}
         for n in $(seq 200); do kill -0 {cpid} 2>/dev/null && break; sleep 0.1; done
         ps -o args= -p {cpid} && kill {cpid} && cat <(echo on)"
    );
    assert_eq!(shell(host, &line), "sleep 4718\non\n");
    gone(cluster, cpid);
    cluster.wait_for_daemon(1);
    view::settled(&cluster.nodes().collect::<Vec<_>>());
}

pub(crate) fn server(cluster: &Cluster) {
    let host = cluster.host(1);
    let cpid = sleeper(cluster, 2, "4719", "");
    let server = host.run(&["pgrep", "-x", "ssid-proc"]);
    let server = server.trim();
    let line = format!(
        "ps -o args= -p {cpid} || exit 1; kill -KILL {server}
         sleep 0.3; cat <(echo on) || exit 2
         for n in $(seq 200); do [ -e /proc/{cpid}/stat ] && break; sleep 0.1; done
         ps -o args= -p {cpid} && kill {cpid}"
    );
    let begun = Instant::now();
    assert_eq!(shell(host, &line), "sleep 4719\non\nsleep 4719\n");
    assert!(begun.elapsed() < AGAIN);
    println!("    /proc is there again after {:?}", begun.elapsed());
    gone(cluster, cpid);
}

pub(crate) fn nothing_left(cluster: &Cluster) {
    let host = cluster.host(1);
    let begun = Instant::now();
    loop {
        let left = host.sh("pgrep -f 'ssi [s]hell' || :");
        if left.trim().is_empty() {
            break;
        }
        assert!(begun.elapsed() < AGAIN, "{left}");
        thread::sleep(Duration::from_millis(100));
    }
    // Two trees, and nobody is in mounts of their own.
    let mounts = host.sh("grep -c ssi-proc /proc/mounts");
    assert_eq!(mounts, "2\n");
    let places = host.sh("for p in /proc/[0-9]*; do readlink $p/ns/mnt; done | sort -u | wc -l");
    assert_eq!(places, "1\n");
}
