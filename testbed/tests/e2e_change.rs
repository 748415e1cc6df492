//! Real servers come and go under load.

mod common;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::cluster::Family::V4;
use common::load::{self, FewPorts, Load};
use common::lvs::Service;
use common::{Cluster, main as run, web};

const NODES: u8 = 5;
const HELD: usize = 200;
const BEAT: Duration = Duration::from_millis(50);
/// How long slots are moved.
const MOVING: Duration = Duration::from_secs(10);
/// Few enough ports that each is used again within a second, and enough for 4 clients.
const PORTS: u16 = 1_000;

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("draining a server under load fails no request: wlc", |c| {
                drain(c, "wlc");
            }),
            ("draining a server under load fails no request: slot", |c| {
                drain(c, "slot");
            }),
            (
                "removing one server of five resets no connection of the others: rr",
                |c| {
                    remove(c, "rr");
                },
            ),
            (
                "removing one server of five resets no connection of the others: slot",
                |c| {
                    remove(c, "slot");
                },
            ),
            ("adding a server resets no connection: slot", add),
            (
                "all servers are drained at once, and come back in turn: no connection is reset",
                none,
            ),
            (
                "both servers are drained in turn, and come back in turn: no connection is reset",
                both,
            ),
            (
                "slots move while the client's ports come round again: no request fails",
                again,
            ),
        ],
    )
}

fn service(cluster: &Cluster, scheduler: &str, servers: impl Iterator<Item = u8>) -> Service {
    web::start(cluster);
    let service = Service::tcp(cluster.cvip(V4), 80);
    // What is typed at one node, all carry out.
    service.add(cluster.host(2), scheduler);
    for number in servers {
        let server = cluster.server(number, V4, 80);
        service.add_server(cluster.host(3), server, "-g", 1);
    }
    service
}

fn drain(cluster: &Cluster, scheduler: &str) {
    let service = service(cluster, scheduler, cluster.nodes());
    let held = Load::held(cluster.client(), service.address, HELD, BEAT);
    let short = Load::short(cluster.client(), service.address, 4);
    thread::sleep(Duration::from_secs(1));

    let drained = cluster.server(4, V4, 80);
    service.set_weight(cluster.host(2), drained, "-g", 0);
    // Requests that were under way when the weight changed.
    thread::sleep(Duration::from_millis(500));
    short.stop().assert_flawless();

    let after = Load::short(cluster.client(), service.address, 4);
    thread::sleep(Duration::from_secs(2));
    let after = after.stop();
    after.assert_flawless();
    assert_eq!(
        after.by("node4"),
        0,
        "new connections went to the drained server"
    );

    let held = held.stop();
    held.assert_flawless();
    assert!(
        held.by("node4") > 0,
        "the drained server had no old connection to keep"
    );
}

fn remove(cluster: &Cluster, scheduler: &str) {
    let service = service(cluster, scheduler, cluster.nodes());
    let held = Load::held(cluster.client(), service.address, HELD, BEAT);
    thread::sleep(Duration::from_secs(1));
    let removed = cluster.server(4, V4, 80);
    service.remove_server(cluster.host(2), removed);
    thread::sleep(Duration::from_secs(2));
    let held = held.stop();
    let others: Vec<_> = held
        .failures
        .iter()
        .filter(|failure| failure.node.as_deref() != Some("node4"))
        .collect();
    assert!(
        others.is_empty(),
        "{} broke, the first: {:?}",
        others.len(),
        others[0]
    );
    assert!(held.by("node4") > 0 && held.answered.len() == usize::from(NODES));
}

fn add(cluster: &Cluster) {
    let service = service(cluster, "slot", cluster.nodes().filter(|node| *node != 4));
    let held = Load::held(cluster.client(), service.address, HELD, BEAT);
    thread::sleep(Duration::from_secs(1));
    let added = cluster.server(4, V4, 80);
    service.add_server(cluster.host(2), added, "-g", 1);
    let short = Load::short(cluster.client(), service.address, 4);
    thread::sleep(Duration::from_secs(2));
    held.stop().assert_flawless();
    let short = short.stop();
    short.assert_flawless();
    assert!(
        short.by("node4") > 0,
        "the new server got nothing: {:?}",
        short.answered
    );
}

/// While no server takes connections, what opens one is dropped, and the old ones go on; so
/// they do when one server after the other takes connections again.
fn none(cluster: &Cluster) {
    let service = service(cluster, "slot", cluster.nodes());
    let held = Load::held(cluster.client(), service.address, HELD, BEAT);
    thread::sleep(Duration::from_secs(1));

    let server = |node| cluster.server(node, V4, 80);
    let servers: Vec<_> = cluster.nodes().map(server).collect();
    service.set_weights(cluster.host(2), &servers, "-g", 0);
    // For all of the client's patience: what opens a connection is sent again and again.
    let refused = load::burst(cluster.client(), service.address, 1);
    assert_eq!(refused.total(), 0, "a drained server took a connection");

    service.set_weight(cluster.host(3), server(2), "-g", 1);
    let short = Load::short(cluster.client(), service.address, 4);
    thread::sleep(Duration::from_secs(2));
    let short = short.stop();
    short.assert_flawless();
    assert_eq!(short.by("node2"), short.total(), "{:?}", short.answered);

    for node in cluster.nodes().filter(|node| *node != 2) {
        service.set_weight(cluster.host(node), server(node), "-g", 1);
        thread::sleep(Duration::from_millis(400));
    }
    let held = held.stop();
    held.assert_flawless();
    assert_eq!(held.answered.len(), usize::from(NODES), "{held:?}");
}

/// Of two that are drained one after the other, each slot knows both.
fn both(cluster: &Cluster) {
    let service = service(cluster, "slot", 1..=2);
    let held = Load::held(cluster.client(), service.address, HELD, BEAT);
    thread::sleep(Duration::from_secs(1));
    let server = |node| cluster.server(node, V4, 80);
    for node in 1..=2 {
        service.set_weight(cluster.host(3), server(node), "-g", 0);
        thread::sleep(Duration::from_secs(1));
    }
    // The one that was drained last, and both.
    for node in [2, 1] {
        service.set_weight(cluster.host(3), server(node), "-g", 1);
        thread::sleep(Duration::from_secs(1));
    }
    let held = held.stop();
    held.assert_flawless();
    assert_eq!(held.answered.len(), 2, "{held:?}");
}

/// All servers are drained in turn, and take connections again in turn. While none does, what
/// opens a connection is dropped, and sent again a second later. What was remembered of earlier
/// connections is still there then, and their servers wait in TIME_WAIT.
fn again(cluster: &Cluster) {
    let service = service(cluster, "slot", 1..=3);
    let _ports = FewPorts::new(PORTS);
    let short = Load::short(cluster.client(), service.address, 4);
    let end = Instant::now() + MOVING;
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(400));
        for (number, weight) in [(1, 0), (2, 0), (3, 0), (3, 1), (1, 1), (2, 1)] {
            let server = cluster.server(number, V4, 80);
            service.set_weight(cluster.host(number), server, "-g", weight);
        }
    }
    let report = short.stop();
    println!("    {} requests", report.total());
    report.assert_flawless();
    assert_eq!(report.answered.len(), 3, "{report:?}");
}
