//! UDP: a DNS service, and datagrams in fragments that arrive in the wrong order.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use common::cluster::Family::{self, V4, V6};
use common::fragments::Datagram;
use common::lvs::Service;
use common::{Cluster, dns, main as run, role};

const QUESTIONS: u16 = 60;
const PORT: u16 = 9000;

fn main() -> ExitCode {
    run(
        3,
        &[
            ("DNS over IPv4", |c| ask(c, V4)),
            ("DNS over IPv6", |c| ask(c, V6)),
            ("IPv4 fragments in the wrong order reach one server", |c| {
                fragments(c, V4);
            }),
            ("IPv6 fragments in the wrong order reach one server", |c| {
                fragments(c, V6);
            }),
        ],
    )
}

fn service(cluster: &Cluster, family: Family, port: u16) -> Service {
    let service = Service::udp(cluster.cvip(family), port);
    service.add(cluster.director(), "rr");
    for node in cluster.nodes() {
        service.add_server(
            cluster.director(),
            cluster.server(node, family, port),
            "-g",
            1,
        );
    }
    service.wait_for_servers(cluster.director());
    service
}

/// Every node runs a dnsmasq that knows its own name.
fn ask(cluster: &Cluster, family: Family) {
    let service = service(cluster, family, 53);
    cluster.everywhere(|node| {
        let name = node.run(&["hostname"]).trim_end().to_owned();
        node.sh(&format!(
            "pkill -x dnsmasq && sleep 0.1
             exec dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --port=53 --bind-interfaces \
                 --listen-address={} --txt-record=whoami.ssi,{name} --pid-file=/run/dnsmasq.pid",
            service.address.ip()
        ));
    });
    let answers = cluster.client().run(move || {
        let mut answers = BTreeMap::new();
        let clients: Vec<_> = (0..QUESTIONS)
            .map(|_| dns::client(service.address).expect("a socket"))
            .collect();
        for (id, client) in (0..).zip(&clients) {
            let name = dns::txt(client, "whoami.ssi", id)
                .unwrap_or_else(|error| panic!("question {id}: {error}"));
            *answers.entry(name).or_insert(0) += 1;
        }
        answers
    });
    for node in cluster.nodes() {
        assert_eq!(
            answers.get(&cluster.name(node)),
            Some(&(QUESTIONS / 3)),
            "turns were not even: {answers:?}"
        );
    }
}

/// First fragment last: the director has to hold the others until it knows the flow.
fn fragments(cluster: &Cluster, family: Family) {
    let service = service(cluster, family, PORT);
    cluster.everywhere(|node| role::start_udp_server(node, &service.address.to_string()));
    let source = cluster.client_address(family);
    let names: BTreeSet<String> = cluster.client().run(move || {
        (0..12)
            .map(|round| exchange(SocketAddr::new(source, 0), service.address, round))
            .collect()
    });
    assert_eq!(names.len(), 3, "{names:?}");
}

/// One datagram of five fragments in a different order each round; who answered it.
fn exchange(source: SocketAddr, target: SocketAddr, round: u16) -> String {
    let socket = UdpSocket::bind(source).expect("bind");
    socket
        .set_read_timeout(Some(Duration::from_secs(2)))
        .expect("timeout");
    let source = socket.local_addr().expect("bound");
    let payload: Vec<u8> = (0..5000_u16)
        .map(|at| (at ^ round).to_le_bytes()[0])
        .collect();
    let datagram = Datagram::new(source, target, 0x5510 + round, &payload);
    let mut packets = datagram.fragments();
    match round % 3 {
        0 => {}
        1 => packets.reverse(),
        _ => packets.rotate_left(2),
    }
    let raw = datagram.socket().expect("raw socket");
    for packet in packets {
        raw.send_to(&packet, &datagram.destination()).expect("send");
    }
    let mut answer = [0; 100];
    let length = socket
        .recv(&mut answer)
        .unwrap_or_else(|error| panic!("round {round}: no answer: {error}"));
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    let name = answer.split(' ').next().expect("a word").to_owned();
    assert_eq!(answer, role::answer(&name, &payload), "round {round}");
    name
}
