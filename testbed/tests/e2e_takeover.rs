//! Nodes go and come under load, others join in the middle of it, and all are switched off.

mod common;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::cluster::Family::V4;
use common::disturb::{boot, crash};
use common::host::Host;
use common::load::{Load, burst};
use common::lvs::Service;
use common::{Cluster, main as run, view, web};
use serde_json::Value;
use ssi_abi::counter;

const NODES: u8 = 4;
/// One more, which comes and goes.
const NEWCOMER: u8 = 5;
const BEAT: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    run(
        NODES,
        &[
            (
                "a director's crash breaks no connection to other nodes: slot",
                director,
            ),
            (
                "every node restarted in turn: who is with another notices nothing",
                in_turn,
            ),
            (
                "a director that is back before another takes over resets nothing of the others",
                back_at_once,
            ),
            (
                "the director and the master leave in order: nobody notices",
                leave,
            ),
            ("a node joins though the master's ssid is killed", |c| {
                join(c, |master| {
                    Host::Node(master).run(&["pkill", "-KILL", "-x", "ssid"]);
                });
            }),
            ("a node joins though the master crashes", |c| {
                join(c, |master| {
                    crash(&[master]);
                });
            }),
            (
                "all off and on again: the same cluster, the same services",
                off,
            ),
        ],
    )
}

fn all(cluster: &Cluster) -> Vec<u8> {
    cluster.nodes().collect()
}

fn service(cluster: &Cluster, servers: impl Iterator<Item = u8>) -> Service {
    web::start(cluster);
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(cluster.host(2), "slot");
    for node in servers {
        service.add_server(cluster.host(3), cluster.server(node, V4, 80), "-g", 1);
    }
    service
}

fn director(cluster: &Cluster) {
    let director = cluster.director_number();
    let others: Vec<u8> = cluster.nodes().filter(|node| *node != director).collect();
    let service = service(cluster, others.iter().copied());
    let sum = web::publish(cluster, "big", 200 << 20);
    let download = web::Download::start(service.address, "big", &sum);
    let held = Load::held(cluster.client(), service.address, 100, BEAT);
    thread::sleep(Duration::from_secs(1));
    crash(&[director]);
    view::wait(&others, "a new director", |view| {
        view::director(view).is_some_and(|now| now != director)
    });
    download.finish();
    held.stop().assert_flawless();
    burst(cluster.client(), service.address, 50).assert_flawless();
    boot(&[director]);
}

fn in_turn(cluster: &Cluster) {
    let service = service(cluster, cluster.nodes());
    let load = Load::reopened(cluster.client(), service.address, 60, BEAT);
    thread::sleep(Duration::from_millis(500));
    // When each node was away.
    let mut away = BTreeMap::new();
    for node in cluster.nodes() {
        let crashed = crash(&[node]);
        thread::sleep(Duration::from_secs(1));
        boot(&[node]);
        web::start_on(cluster.host(node));
        away.insert(cluster.name(node), (crashed, Instant::now()));
        view::settled(&all(cluster));
        thread::sleep(Duration::from_secs(1));
    }
    let report = load.stop();
    // Who has no server yet may meet one that is gone; who has one loses it with it.
    let with: Vec<_> = report
        .failures
        .iter()
        .filter(|failure| failure.node.is_some())
        .collect();
    let wrong: Vec<_> = with
        .iter()
        .filter(|failure| {
            let (crashed, back) = away[failure.node.as_deref().expect("it was with one")];
            let last = failure.since;
            last > back || crashed > last + BEAT + Duration::from_secs(1)
        })
        .collect();
    println!(
        "    {} requests answered; {} connections were with a node that went, {} were not",
        report.total(),
        with.len() - wrong.len(),
        wrong.len()
    );
    assert!(
        wrong.is_empty(),
        "their nodes were there: {wrong:?}; away: {away:?}"
    );
    assert_eq!(
        report.answered.len(),
        usize::from(NODES),
        "{:?}",
        report.answered
    );
    burst(cluster.client(), service.address, 50).assert_flawless();
    circles_nowhere(cluster);
}

/// Nodes that each pass on a packet for a node which is gone, and which the network looks for
/// everywhere, would do so until its time to live is over, and starve meanwhile.
fn circles_nowhere(cluster: &Cluster) {
    for node in cluster.nodes() {
        let status = cluster.host(node).run(&["ssi", "status", "-o", "json"]);
        let status: Value = serde_json::from_str(&status).expect("JSON");
        let counters = status["status"]["counters"].as_array();
        let name = counter::NAMES[counter::TTL as usize];
        let mut counters = counters.expect("a list").iter();
        let counted = counters.find(|counted| counted["name"] == name);
        assert!(counted.is_none(), "on node {node}: {counted:?}");
    }
}

/// Clients' packets come to it while it has no programs yet, or no view.
fn back_at_once(cluster: &Cluster) {
    let director = cluster.director_number();
    let others = cluster.nodes().filter(|node| *node != director);
    let service = service(cluster, others);
    let held = Load::held(cluster.client(), service.address, 60, BEAT);
    thread::sleep(Duration::from_secs(1));
    crash(&[director]);
    boot(&[director]);
    view::settled(&all(cluster));
    thread::sleep(Duration::from_secs(1));
    held.stop().assert_flawless();
    burst(cluster.client(), service.address, 50).assert_flawless();
}

/// They go, and come back, one after the other, while clients are with other nodes.
fn leave(cluster: &Cluster) {
    let servers = [3, 4];
    let service = service(cluster, servers.into_iter());
    for goes in [1, 2] {
        let held = Load::held(cluster.client(), service.address, 60, BEAT);
        thread::sleep(Duration::from_millis(500));
        let before = view::settled(&all(cluster));
        let began = Instant::now();
        cluster.host(goes).run(&["ssi", "leave", "--yes"]);
        let took = began.elapsed();
        let others: Vec<u8> = cluster.nodes().filter(|node| *node != goes).collect();
        let without = view::wait(&others, "a view without it", |view| {
            view::out(view, goes) && view::director(view).is_some_and(|now| now != goes)
        });
        println!(
            "    node {goes} has left after {took:?}; the master was node {:?}, and is node {:?}",
            before.master, without.master
        );
        thread::sleep(Duration::from_secs(1));
        held.stop().assert_flawless();
        burst(cluster.client(), service.address, 50).assert_flawless();
        cluster.host(goes).run(&["ssi", "rejoin"]);
        view::settled(&all(cluster));
    }
}

/// A node joins while something happens to the master.
fn join(cluster: &Cluster, what: fn(u8)) {
    boot(&[NEWCOMER]);
    let newcomer = cluster.host(NEWCOMER);
    newcomer.run(&["ssi", "leave", "--yes"]);
    // It is a stranger again, but for its programs that run already.
    let nodes = all(cluster);
    let view = view::settled(&nodes);
    let master = u8::try_from(view.master.expect("a master")).expect("1 to 15");
    let door = nodes
        .iter()
        .copied()
        .find(|node| *node != master)
        .expect("another");
    cluster
        .host(door)
        .run(&["ssi", "forget", &NEWCOMER.to_string(), "--yes"]);
    let token = cluster.host(door).run(&["ssi", "token"]);
    let address = cluster.server(door, V4, 0).ip().to_string();
    let number = NEWCOMER.to_string();
    let words = ["ssi", "join", &address, token.trim(), "--number", &number];
    let mut joining = newcomer.spawn(&words);
    thread::sleep(Duration::from_millis(50));
    what(master);
    // Who is told that it did not work tries again.
    let mut tries = 1;
    while !joining.wait().expect("it ran").success() {
        let said = joining.wait_with_output().expect("it ran");
        println!("    {}", String::from_utf8_lossy(&said.stderr).trim());
        assert!(tries < 5, "it does not get in");
        tries += 1;
        joining = newcomer.spawn(&words);
    }
    let everybody: Vec<u8> = nodes.iter().copied().chain([NEWCOMER]).collect();
    boot(&nodes);
    view::settled(&everybody);
    println!("    UP after {tries} attempts");
    newcomer.run(&["ssi", "leave", "--yes"]);
    cluster
        .host(door)
        .run(&["ssi", "forget", &NEWCOMER.to_string(), "--yes"]);
    crash(&[NEWCOMER]);
}

fn off(cluster: &Cluster) {
    let service = service(cluster, cluster.nodes());
    let nodes = all(cluster);
    let before = view::settled(&nodes);
    let rules = cluster.host(1).run(&["ssi", "lvs", "-S", "-n"]);
    crash(&nodes);
    let start = Instant::now();
    boot(&nodes);
    let after = view::settled(&nodes);
    println!(
        "    all UP {} ms after they were switched on",
        start.elapsed().as_millis()
    );
    assert_eq!(after.identity, before.identity);
    assert!(after.epoch > before.epoch);
    for node in &nodes {
        assert_eq!(cluster.host(*node).run(&["ssi", "lvs", "-S", "-n"]), rules);
    }
    web::start(cluster);
    burst(cluster.client(), service.address, 20).assert_flawless();
}
