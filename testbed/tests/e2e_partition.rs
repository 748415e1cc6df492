//! A network in two parts: one goes on, the other stops first.

mod common;

use std::net::UdpSocket;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::cluster::Family::V4;
use common::disturb::{Owners, fault};
use common::load::{FewPorts, burst};
use common::lvs::Service;
use common::{Cluster, main as run, view, web};

/// How long after the cut the majority serves all who come, and the minority nobody.
const LATE: Duration = Duration::from_secs(3);
/// How long a former director keeps what no packet asks for, at most. A datagram's connection
/// would last for five minutes otherwise.
const FORGETS: Duration = Duration::from_secs(15);
/// Ports of the client: each is used again by each hundred of connections.
const PORTS: u16 = 200;

fn main() -> ExitCode {
    run(
        5,
        &[
            ("three go on, two with the director stop", |c| {
                let all: Vec<u8> = c.nodes().collect();
                split(c, &all, 2);
            }),
            ("of three, two go on and the director alone stops", three),
        ],
    )
}

/// Two nodes leave, so that three are the cluster.
fn three(cluster: &Cluster) {
    let director = cluster.director_number();
    let mut nodes: Vec<u8> = cluster.nodes().filter(|node| *node != director).collect();
    let away = nodes.split_off(2);
    nodes.push(director);
    for node in &away {
        cluster.host(*node).run(&["ssi", "leave", "--yes"]);
    }
    split(cluster, &nodes, 1);
    for node in &away {
        cluster.host(*node).run(&["ssi", "rejoin"]);
    }
    let all: Vec<u8> = cluster.nodes().collect();
    view::settled(&all);
}

/// Cuts the director and some others, `few` together, off the rest of `nodes`.
fn split(cluster: &Cluster, nodes: &[u8], few: usize) {
    web::start(cluster);
    let before = view::settled(nodes);
    let director = view::director(&before).expect("a director");
    let mut rest: Vec<u8> = nodes.iter().copied().filter(|n| *n != director).collect();
    let mut few = rest.split_off(rest.len() - (few - 1));
    few.push(director);
    let cvip = cluster.cvip(V4);
    let service = Service::tcp(cvip, 80);
    service.add(cluster.host(director), "slot");
    for node in nodes {
        service.add_server(
            cluster.host(director),
            cluster.server(*node, V4, 80),
            "-g",
            1,
        );
    }
    // The old director remembers some of them, and becomes a real server to others that come
    // from the same ports.
    let _ports = FewPorts::new(PORTS);
    burst(cluster.client(), service.address, 100).assert_flawless();
    let datagrams = Service::udp(cvip, 9);
    datagrams.add(cluster.host(director), "rr");
    let server = cluster.server(rest[0], V4, 9);
    datagrams.add_server(cluster.host(director), server, "-g", 1);
    cluster.client().run(move || {
        // All at once, or two may have one port.
        let socket = || UdpSocket::bind("0.0.0.0:0").expect("a port");
        let sockets: Vec<UdpSocket> = (0..20).map(|_| socket()).collect();
        for socket in &sockets {
            socket.send_to(b"x", datagrams.address).expect("a route");
        }
    });
    let remembered = remembered_by(cluster, director, "UDP");
    assert_eq!(remembered, 20, "the director's table has each");

    let owners = Owners::watch(cluster, nodes, cvip);
    fault(&format!("partition {} {}", list(&few), list(&rest)));
    let cut = Instant::now();
    // Within the time allowed; then all that is promised holds at once.
    view::wait(&rest, "a new director", |view| {
        view::director(view).is_some_and(|now| rest.contains(&now))
            && few.iter().all(|node| view::out(view, *node))
    });
    let took = cut.elapsed();
    thread::sleep(LATE.saturating_sub(cut.elapsed()));
    let served = burst(cluster.client(), service.address, 100);
    served.assert_flawless();
    for node in &few {
        assert_eq!(served.by(&cluster.name(*node)), 0, "a fenced node serves");
        let view = view::of(*node).expect("it answers");
        assert!(view.fenced, "node {node} goes on: {view:#?}");
        let shown = cluster.host(*node).run(&["ssi", "cluster", "-o", "json"]);
        assert!(
            shown.replace(' ', "").contains("\"fenced\":true"),
            "{shown}"
        );
        let refused = cluster.host(*node).output(&["ssi", "lvs", "-C"]);
        assert!(
            !refused.status.success(),
            "node {node} changes what is agreed"
        );
    }
    let seen = owners.stop();
    let (_, last) = seen.last().expect("it was looked at");
    assert!(
        last.len() == 1 && rest.contains(&last[0]),
        "{last:?} have the address"
    );
    let taken = seen
        .iter()
        .find(|(_, owners)| owners.iter().any(|owner| rest.contains(owner)));
    let free = seen
        .iter()
        .find(|(at, owners)| *at > cut && !owners.contains(&director));
    let ms = |at: Option<&(Instant, Vec<u8>)>| at.map(|(at, _)| at.duration_since(cut).as_millis());
    println!(
        "    agreed after {} ms; the old director gave the address up after {:?} ms, a new one took it after {:?} ms",
        took.as_millis(),
        ms(free),
        ms(taken)
    );

    let owners = Owners::watch(cluster, nodes, cvip);
    fault("heal");
    let healed = Instant::now();
    let after = view::settled(nodes);
    println!(
        "    all UP again {} ms after it was healed",
        healed.elapsed().as_millis()
    );
    owners.stop();
    for node in nodes {
        let life = |view| view::member(view, *node).expect("it is known").incarnation;
        let anew = u32::from(few.contains(node));
        assert_eq!(life(&after), life(&before) + anew, "node {node}");
    }
    burst(cluster.client(), service.address, 100).assert_flawless();
    assert!(took < LATE, "{took:?}");
    // In its next term it would go by what others may have given away since.
    let end = Instant::now() + FORGETS;
    while remembered_by(cluster, director, "UDP") > 0 {
        assert!(Instant::now() < end, "the former director forgets nothing");
        thread::sleep(Duration::from_millis(200));
    }
}

/// How many connections of a protocol a node's table has.
fn remembered_by(cluster: &Cluster, node: u8, protocol: &str) -> usize {
    let listed = cluster.host(node).run(&["ssi", "lvs", "-L", "-c", "-n"]);
    let of = |line: &&str| line.split_whitespace().next() == Some(protocol);
    listed.lines().filter(of).count()
}

fn list(nodes: &[u8]) -> String {
    let words: Vec<_> = nodes.iter().map(u8::to_string).collect();
    words.join(",")
}
