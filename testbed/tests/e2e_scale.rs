//! Many real servers, many services.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::cluster::Family::V4;
use common::http::Connection;
use common::load::burst;
use common::lvs::Service;
use common::{Cluster, main as run, web};

const SERVERS: u8 = 100;
const SERVICES: u16 = 10_000;

fn main() -> ExitCode {
    run(
        3,
        &[
            ("a service with 100 real servers", hundred_servers),
            (
                "10,000 services are restored in under 5 s",
                ten_thousand_services,
            ),
        ],
    )
}

/// A hundred more addresses on the interconnect, spread over the nodes; NAT shows each
/// of them at work.
fn hundred_servers(cluster: &Cluster) {
    web::start(cluster);
    let director = cluster.director();
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(director, "rr");
    let nodes: Vec<u8> = cluster.nodes().collect();
    let mut servers = BTreeSet::new();
    for (number, node) in (0..SERVERS).zip(nodes.iter().cycle()) {
        let address = cluster.spare_address(number);
        cluster.host(*node).run(&[
            "ip",
            "address",
            "add",
            &format!("{address}/32"),
            "dev",
            cluster.interconnect(),
        ]);
        servers.insert(address);
    }
    cluster.route_replies_through_director(V4);
    for address in &servers {
        service.add_server(director, SocketAddr::new(*address, 8080), "-m", 1);
    }
    let seen: BTreeSet<IpAddr> = cluster.client().run(move || {
        (0..SERVERS)
            .map(|number| {
                let said = Connection::open(service.address)
                    .and_then(|mut connection| connection.get("/address", false))
                    .unwrap_or_else(|error| panic!("request {number}: {error}"));
                let address = said.split(' ').nth(1).expect("name, address, port");
                address.parse().expect("an address")
            })
            .collect()
    });
    assert_eq!(
        seen, servers,
        "a hundred turns did not reach a hundred servers"
    );
}

fn ten_thousand_services(cluster: &Cluster) {
    web::start(cluster);
    let director = cluster.director();
    let real = Service::tcp(cluster.cvip(V4), 80);
    let server = cluster.server(2, V4, 0).ip();
    let mut file = String::new();
    for number in 1..SERVICES {
        let [high, low] = number.to_be_bytes();
        let virtual_address = SocketAddr::new(Ipv4Addr::new(10, 200, high, low).into(), 80);
        writeln!(file, "-A -t {virtual_address} -s rr").expect("a string");
        writeln!(file, "-a -t {virtual_address} -r {server}:80 -g -w 1").expect("a string");
    }
    writeln!(file, "-A -t {} -s rr", real.address).expect("a string");
    writeln!(file, "-a -t {} -r {server}:80 -g -w 1", real.address).expect("a string");

    let start = Instant::now();
    director.feed(&["ssi", "lvs", "-R"], file.as_bytes());
    let took = start.elapsed();

    let mut saved: Vec<_> = director
        .run(&["ssi", "lvs", "-S", "-n"])
        .lines()
        .map(str::to_owned)
        .collect();
    let mut wanted: Vec<_> = file.lines().map(str::to_owned).collect();
    saved.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(saved.len(), wanted.len());
    assert!(saved == wanted, "-S does not give back what -R took");
    burst(cluster.client(), real.address, 10).assert_flawless();
    assert!(took < Duration::from_secs(5), "restoring took {took:?}");
}
