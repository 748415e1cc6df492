//! curl and wrk through the cluster's one address, in each forwarding method and over both
//! IP versions.

mod common;

use std::process::ExitCode;

use common::cluster::Family::{self, V4, V6};
use common::host::Host;
use common::load::burst;
use common::lvs::Service;
use common::{Cluster, main as run, web};

/// How the director reaches the real servers, and how they are set up for it.
#[derive(Clone, Copy)]
struct Method {
    flag: &'static str,
    /// Real servers listen on the service's port, or on one of their own.
    port: u16,
}

const DIRECT: Method = Method {
    flag: "-g",
    port: 80,
};
const TUNNEL: Method = Method {
    flag: "-i",
    port: 80,
};
const NAT: Method = Method {
    flag: "-m",
    port: 8080,
};

const CONNECTIONS: usize = 60;

fn main() -> ExitCode {
    run(
        3,
        &[
            ("direct routing over IPv4", |c| method(c, DIRECT, V4, V4)),
            ("direct routing over IPv6", |c| method(c, DIRECT, V6, V6)),
            ("tunnel, IPv4 in IPv4", |c| method(c, TUNNEL, V4, V4)),
            ("tunnel, IPv6 in IPv6", |c| method(c, TUNNEL, V6, V6)),
            ("tunnel, IPv4 in IPv6", |c| method(c, TUNNEL, V4, V6)),
            ("NAT with another port over IPv4", |c| {
                method(c, NAT, V4, V4);
            }),
            ("NAT with another port over IPv6", |c| {
                method(c, NAT, V6, V6);
            }),
            ("local delivery over IPv4", |c| local(c, V4)),
            ("local delivery over IPv6", |c| local(c, V6)),
            ("every scheduler", every_scheduler),
        ],
    )
}

/// All three nodes are real servers, the director among them.
fn method(cluster: &Cluster, method: Method, family: Family, outer: Family) {
    web::start(cluster);
    let director = cluster.director();
    let service = Service::tcp(cluster.cvip(family), 80);
    service.add(director, "rr");
    for node in cluster.nodes() {
        let server = cluster.server(node, outer, method.port);
        service.add_server(director, server, method.flag, 1);
    }
    if method.flag == "-m" {
        cluster.route_replies_through_director(outer);
    }

    let report = burst(cluster.client(), service.address, CONNECTIONS);
    report.assert_flawless();
    for node in cluster.nodes() {
        assert_eq!(
            report.by(&cluster.name(node)),
            (CONNECTIONS / 3) as u64,
            "turns were not even: {:?}",
            report.answered
        );
    }
    curl(service, cluster);
    wrk(service);
}

/// The director is the only real server.
fn local(cluster: &Cluster, family: Family) {
    web::start(cluster);
    let director = cluster.director();
    let service = Service::tcp(cluster.cvip(family), 80);
    service.add(director, "rr");
    service.add_server(
        director,
        cluster.server(cluster.director_number(), family, 80),
        "-g",
        1,
    );
    let report = burst(cluster.client(), service.address, CONNECTIONS);
    report.assert_flawless();
    assert_eq!(
        report.by(&cluster.name(cluster.director_number())),
        CONNECTIONS as u64
    );
    curl(service, cluster);
    wrk(service);
}

fn every_scheduler(cluster: &Cluster) {
    web::start(cluster);
    let director = cluster.director();
    for scheduler in ["rr", "wrr", "lc", "wlc", "sh", "mh", "slot"] {
        cluster.clear();
        let service = Service::tcp(cluster.cvip(V4), 80);
        service.add(director, scheduler);
        for node in cluster.nodes() {
            service.add_server(director, cluster.server(node, V4, 80), "-g", 1);
        }
        let report = burst(cluster.client(), service.address, CONNECTIONS);
        report.assert_flawless();
        let servers = report.answered.len();
        // Those that hash the client's address alone keep the one client on one server.
        let expected = if matches!(scheduler, "sh" | "mh") {
            1
        } else {
            3
        };
        assert_eq!(servers, expected, "{scheduler}: {:?}", report.answered);
    }
}

/// Several requests in one connection, all with one server.
fn curl(service: Service, cluster: &Cluster) {
    let url = format!("http://{}/", service.address);
    let answers = Host::Client.run(&["curl", "-sS", "--fail", "--max-time", "5", &url, &url, &url]);
    let names: Vec<_> = answers.lines().collect();
    assert_eq!(names.len(), 3, "{answers:?}");
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert!(
        cluster.nodes().any(|node| cluster.name(node) == names[0]),
        "{names:?}"
    );
}

fn wrk(service: Service) {
    let url = format!("http://{}/", service.address);
    let said = Host::Client.run(&["wrk", "-t1", "-c16", "-d2s", "--timeout", "2s", &url]);
    assert!(!said.contains("Socket errors"), "{said}");
    assert!(!said.contains("Non-2xx"), "{said}");
    let requests: u64 = said
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok())
        .unwrap_or_else(|| panic!("wrk said no number of requests: {said}"));
    assert!(requests > 100, "{said}");
}
