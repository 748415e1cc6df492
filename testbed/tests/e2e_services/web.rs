//! nginx.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::common::cluster::Family::V4;
use super::common::disturb::{boot, crash};
use super::common::load::{Load, burst};
use super::common::web::{Download, publish};
use super::common::{Cluster, view};
use super::stage::{folder, instances, kill_main, only, served_by, servers, until};

/// The configuration of every node's nginx.
const CONFIG: &str = include_str!("../../web/nginx.conf");
/// Clients of one request a connection.
const CLIENTS: usize = 4;
/// Downloads at the same time, a third from each node.
const DOWNLOADS: usize = 12;

fn nginx(name: &str, more: &str) -> String {
    let path = folder("nginx").join("nginx.conf");
    std::fs::write(&path, CONFIG).expect("a file in /srv");
    let path = path.display();
    format!(
        r#"
[[process]]
name = "{name}"
path = "/bin/sh"
args = ["-c", "mkdir -p /run/web && install -d -o www-data /run/web/files && exec nginx -c {path} -g 'daemon off;'"]
stop_signal = "QUIT"
term_wait = 30
ready = {{ port = 80 }}
health = {{ test = {{ http = "http://127.0.0.1/" }}, every = 1, timeout = 2, failures = 3 }}
{more}
"#
    )
}

fn cvip(cluster: &Cluster, port: u16) -> SocketAddr {
    SocketAddr::new(cluster.cvip(V4), port)
}

pub(crate) fn each(cluster: &Cluster) {
    let target = cvip(cluster, 80);
    let balance = format!("favoured = \"all\"\nbalance = \"tcp://{target}\"");
    only(cluster, &nginx("web", &balance));
    let all = [1, 2, 3];
    served_by(cluster, &all, 80, &[(1, 1), (2, 1), (3, 1)]);
    let report = burst(cluster.client(), target, 300);
    report.assert_flawless();
    assert_eq!(report.answered.len(), 3, "{report:?}");

    // A planned end: nobody notices, neither who asks once nor who has much to come.
    let sum = publish(cluster, "part", 12 << 20);
    let downloads: Vec<_> = (0..DOWNLOADS)
        .map(|_| Download::slow(target, "part", &sum))
        .collect();
    let short = Load::short(cluster.client(), target, CLIENTS);
    thread::sleep(Duration::from_millis(300));
    let said = cluster.host(1).run(&["ssi", "drain", "2"]);
    assert!(said.contains("runs nothing"), "{said}");
    served_by(cluster, &all, 80, &[(1, 1), (3, 1)]);
    downloads.into_iter().for_each(Download::finish);
    short.stop().assert_flawless();

    // It comes back with its readiness.
    cluster.host(1).run(&["ssi", "drain", "--undo", "2"]);
    served_by(cluster, &all, 80, &[(1, 1), (2, 1), (3, 1)]);

    restart(cluster, target, &sum);

    // Killed: what was there is lost, and it is back in a moment.
    let short = Load::short(cluster.client(), target, CLIENTS);
    thread::sleep(Duration::from_millis(200));
    kill_main(cluster, 3, "web");
    let ok = || {
        instances(cluster.host(1), "web")
            .iter()
            .all(|(state, _)| state == "ok")
    };
    until("it runs again", ok);
    served_by(cluster, &all, 80, &[(1, 1), (2, 1), (3, 1)]);
    let report = short.stop();
    let lost = report.failures.len();
    println!("nginx killed: {lost} of {} requests failed", report.total());
    assert!(lost * 20 < report.failures.len() + usize::try_from(report.total()).unwrap());

    // A node without power is out, and in again when it is ready.
    let director = cluster.director_number();
    let victim = all
        .into_iter()
        .find(|node| *node != director)
        .expect("three");
    let left: Vec<u8> = all.into_iter().filter(|node| *node != victim).collect();
    crash(&[victim]);
    let rest: Vec<(u8, u64)> = left.iter().map(|node| (*node, 1)).collect();
    served_by(cluster, &left, 80, &rest);
    burst(cluster.client(), target, 100).assert_flawless();
    boot(&[victim]);
    view::settled(&all);
    served_by(cluster, &all, 80, &[(1, 1), (2, 1), (3, 1)]);
    burst(cluster.client(), target, 300).assert_flawless();

    // Stopped, it takes nothing, and its virtual service goes with it.
    cluster.host(2).run(&["ssi", "service", "stop", "web"]);
    served_by(cluster, &all, 80, &[]);
    assert_eq!(servers(cluster, 1, 80), [(1, 0), (2, 0), (3, 0)]);
    cluster.host(2).run(&["ssi", "service", "remove", "web"]);
    until("it is no virtual service", || {
        all.iter()
            .all(|node| servers(cluster, *node, 80).is_empty())
    });
}

/// One node after the other has its nginx anew, and nobody notices.
fn restart(cluster: &Cluster, target: SocketAddr, sum: &str) {
    let at = now();
    let downloads: Vec<_> = (0..DOWNLOADS)
        .map(|_| Download::slow(target, "part", sum))
        .collect();
    let short = Load::short(cluster.client(), target, CLIENTS);
    thread::sleep(Duration::from_millis(300));
    let said = cluster.host(3).run(&["ssi", "service", "restart", "web"]);
    let nodes: Vec<&str> = said.split_inclusive("(node ").skip(1).collect();
    let nodes: Vec<&str> = nodes.iter().map(|rest| &rest[..1]).collect();
    assert_eq!(nodes, ["1", "2", "3"], "{said}");
    served_by(cluster, &[1, 2, 3], 80, &[(1, 1), (2, 1), (3, 1)]);
    let report = short.stop();
    report.assert_flawless();
    assert_eq!(report.answered.len(), 3, "{report:?}");
    downloads.into_iter().for_each(Download::finish);
    let ends = last(
        cluster,
        "web",
        at,
        &[
            (1, "shutdown"),
            (1, "ok"),
            (2, "shutdown"),
            (2, "ok"),
            (3, "shutdown"),
            (3, "ok"),
        ],
    );
    assert!(ends.is_sorted(), "{ends:?}");

    let refused = cluster
        .host(1)
        .output(&["ssi", "service", "restart", "web", "--node", "9"]);
    assert!(!refused.status.success());
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.expect("a clock").as_millis()).expect("soon")
}

/// When each of these was last so on its node, of what has happened after a time.
fn last(cluster: &Cluster, name: &str, after: u64, what: &[(u64, &str)]) -> Vec<u64> {
    let said = cluster
        .host(1)
        .run(&["ssi", "-o", "json", "service", "events", name]);
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let events = said["events"].as_array().expect("a list");
    let at = |(node, to): &(u64, &str)| {
        let mut of = events
            .iter()
            .filter(|e| e["node"] == *node && e["to"] == *to);
        let last = of.next_back().and_then(|event| event["at"].as_u64());
        last.filter(|at| *at >= after).expect("it happened")
    };
    what.iter().map(at).collect()
}

/// Two that share a virtual service, of which one is stopped.
pub(crate) fn stop(cluster: &Cluster) {
    let target = cvip(cluster, 80);
    let on = |node: u8| format!("favoured = {node}\nbalance = \"tcp://{target}\"");
    let both = nginx("left", &on(1)) + &nginx("right", &on(3));
    only(cluster, &both);
    served_by(cluster, &[1, 2, 3], 80, &[(1, 1), (3, 1)]);
    let short = Load::short(cluster.client(), target, CLIENTS);
    thread::sleep(Duration::from_millis(200));
    cluster.host(2).run(&["ssi", "service", "stop", "right"]);
    served_by(cluster, &[1, 2, 3], 80, &[(1, 1)]);
    cluster.host(2).run(&["ssi", "service", "start", "right"]);
    served_by(cluster, &[1, 2, 3], 80, &[(1, 1), (3, 1)]);
    cluster.host(2).run(&["ssi", "service", "remove", "left"]);
    served_by(cluster, &[1, 2, 3], 80, &[(3, 1)]);
    short.stop().assert_flawless();
}

pub(crate) fn overlap(cluster: &Cluster) {
    let target = cvip(cluster, 80);
    let balance =
        format!("favoured = 1\nbackup = [3]\noverlap = true\nbalance = \"tcp://{target}\"");
    only(cluster, &nginx("two", &balance));
    served_by(cluster, &[1, 2, 3], 80, &[(1, 1)]);
    let short = Load::short(cluster.client(), target, CLIENTS);
    thread::sleep(Duration::from_millis(200));
    cluster.host(3).run(&["ssi", "drain", "1"]);
    served_by(cluster, &[1, 2, 3], 80, &[(3, 1)]);
    let report = short.stop();
    report.assert_flawless();
    assert_eq!(report.answered.len(), 2, "{report:?}");
    // As the nodes tell it: ready there before anything ended here.
    let at = last(cluster, "two", 0, &[(3, "ok"), (1, "shutdown")]);
    assert!(at.is_sorted(), "{at:?}");
    cluster.host(3).run(&["ssi", "drain", "--undo", "1"]);
}

pub(crate) fn by_hand(cluster: &Cluster) {
    let target = cvip(cluster, 81);
    let name = target.to_string();
    let stranger = cluster.spare_address(9).to_string() + ":80";
    let host = cluster.host(2);
    host.run(&["ssi", "lvs", "-A", "-t", &name, "-s", "rr"]);
    host.run(&[
        "ssi", "lvs", "-a", "-t", &name, "-r", &stranger, "-m", "-w", "0",
    ]);
    let balance = format!(
        "favoured = 3\nbalance = {{ service = \"tcp://{target}\", port = 80, method = \"masq\", weight = 7 }}"
    );
    only(cluster, &nginx("nat", &balance));
    served_by(cluster, &[1, 2, 3], 81, &[(3, 7)]);
    let listed = || host.run(&["ssi", "lvs", "-S", "-n"]);
    let said = listed();
    assert!(said.contains(&stranger) && said.contains("-s rr"), "{said}");
    only(cluster, "");
    served_by(cluster, &[1, 2, 3], 81, &[]);
    let said = listed();
    assert!(said.contains(&stranger) && said.contains("-s rr"), "{said}");
    assert!(servers(cluster, 1, 80).is_empty());
}
