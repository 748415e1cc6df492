//! Two nodes: one votes alone, or a witness on a third machine has a vote too.

mod common;

use std::process::{Child, ExitCode};
use std::thread;
use std::time::Duration;

use common::cluster::Family::V4;
use common::disturb::{boot, crash};
use common::host::Host;
use common::load::{Load, burst};
use common::lvs::Service;
use common::{Cluster, main as run, view, web};

/// Where the door of a node is, and of a witness.
const DOOR: u16 = 7118;
/// Longer than any lease lasts.
const AWAY: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    run(
        2,
        &[
            (
                "whoever votes alone goes on for as long as its ssid is away",
                alone,
            ),
            ("with a witness, either node may crash", witness),
        ],
    )
}

fn service(cluster: &Cluster) -> Service {
    web::start(cluster);
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(cluster.host(1), "rr");
    for node in cluster.nodes() {
        service.add_server(cluster.host(1), cluster.server(node, V4, 80), "-g", 1);
    }
    service
}

fn alone(cluster: &Cluster) {
    let service = service(cluster);
    let before = view::settled(&[1, 2]);
    let voter = cluster.director();
    assert_eq!(
        before.voters,
        [u16::from(cluster.director_number())],
        "who directs"
    );
    let held = Load::held(
        cluster.client(),
        service.address,
        20,
        Duration::from_millis(20),
    );
    let short = Load::short(cluster.client(), service.address, 2);
    voter.run(&["pkill", "-STOP", "-x", "ssid"]);
    thread::sleep(AWAY);
    voter.run(&["pkill", "-CONT", "-x", "ssid"]);
    held.stop().assert_flawless();
    short.stop().assert_flawless();
    let after = view::settled(&[1, 2]);
    assert_eq!(after.nodes, before.nodes);
}

/// A witness, which ends with this.
struct Witness(Child);

impl Witness {
    fn start(cluster: &Cluster) -> Self {
        // Nodes know each other by addresses of a network that it is not on.
        for node in cluster.nodes() {
            let (known, way) = (cluster.server(node, V4, 0).ip(), cluster.external(node, V4));
            let (known, way) = (known.to_string(), way.to_string());
            Host::Client.run(&["ip", "route", "replace", &known, "via", &way]);
        }
        let token = cluster.host(1).run(&["ssi", "token"]);
        let door = format!("{}:{DOOR}", cluster.server(1, V4, 0).ip());
        let arguments = [
            "ssi",
            "witness",
            &door,
            token.trim(),
            "--state",
            "/run/witness",
        ];
        Self(Host::Client.spawn(&arguments))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        Host::Client.output(&["pkill", "-x", "ssid"]);
        // It has been told to end.
        let _ = self.0.wait();
    }
}

fn witness(cluster: &Cluster) {
    let service = service(cluster);
    let witness = Witness::start(cluster);
    view::wait(&[1, 2], "three vote", |view| {
        view.witness.is_some() && view.voters == [1, 2]
    });
    for _ in 0..2 {
        // Those of a node that has crashed are gone.
        web::start(cluster);
        let before = view::settled(&[1, 2]);
        let master = u8::try_from(before.master.expect("a master")).expect("a node");
        let other = 3 - master;
        let begun = crash(&[master]);
        let after = view::settled(&[other]);
        assert!(begun.elapsed() < Duration::from_secs(5), "{after:?}");
        assert_eq!(after.master, Some(u16::from(other)));
        burst(cluster.client(), service.address, 10).assert_flawless();
        boot(&[master]);
        view::settled(&[1, 2]);
    }
    cluster.host(1).run(&["ssi", "witness", "--drop", "--yes"]);
    let one = view::wait(&[1, 2], "one votes", |view| view.witness.is_none());
    assert_eq!(one.voters.len(), 1);
    drop(witness);
}
