//! Who is not welcome: at the door, at the cluster's port, and among the probes.

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::cluster::Family::V4;
use common::disturb::{assert_undisturbed, boot, crash};
use common::fragments::Datagram;
use common::host::Host;
use common::load::Load;
use common::lvs::Service;
use common::netns::NetNs;
use common::{Cluster, main as run, view, web};
use serde_json::Value;
use ssi_abi::probe::{BYTES, PORT};

/// Where newcomers knock.
const DOOR: u16 = 7118;
/// Of each kind of bad probe.
const PROBES: u64 = 200;
const BEAT: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    run(
        3,
        &[
            ("tokens that let nobody in", tokens),
            ("crowds at the door and at the cluster's port", crowds),
            ("forged, replayed and misdirected probes", probes),
        ],
    )
}

fn all(cluster: &Cluster) -> Vec<u8> {
    cluster.nodes().collect()
}

/// What a node shows of internode communication.
fn ics(node: u8) -> Value {
    let shown = Host::Node(node).run(&["ssi", "ics", "-o", "json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    shown["ics"].clone()
}

/// A cluster of the client alone, in place of one that is on the same wire; a token of it.
fn other_cluster() -> String {
    Host::Client.sh("mkdir -p /etc/ssi
        printf '[lvs]\\nconns4 = 1024\\nconns6 = 1024\\ntable_entries = 65536\\n' >/etc/ssi/ssi.toml
        setsid ssid >/run/ssid.log 2>&1 </dev/null &
        for i in $(seq 500); do ssi status >/dev/null 2>&1 && break; sleep 0.02; done
        ssi init green >&2
        ssi token")
}

fn tokens(cluster: &Cluster) {
    let nodes = all(cluster);
    let newcomer = cluster.host(3);
    let own = cluster.host(1).run(&["ssi", "token"]);
    let expired = cluster.host(1).run(&["ssi", "token", "--valid", "1s"]);
    let foreign = other_cluster();
    let (own, foreign) = (own.trim(), foreign.trim());
    newcomer.run(&["ssi", "leave", "--yes"]);
    let rest = view::settled(&[1, 2]);
    thread::sleep(Duration::from_secs(1));
    let forged = {
        let end = if own.ends_with('A') { 'B' } else { 'A' };
        // The last digit is part of the tag.
        format!("{}{end}", &own[..own.len() - 1])
    };
    let door = cluster.server(1, V4, 0).ip().to_string();
    let client = cluster.client_address(V4).to_string();
    for (host, token, why) in [
        (&door, expired.trim(), "expired"),
        (&door, foreign, "cluster"),
        (&client, own, "cluster"),
        (&door, &forged, "token"),
        (&door, &own[..own.len() - 4], "no join token"),
        (&door, "let-me-in", "no join token"),
        (&door, "", "no token"),
    ] {
        let output = newcomer.output(&["ssi", "join", host, token]);
        let said = String::from_utf8_lossy(&output.stderr);
        // Nothing at all is a mistake of usage.
        let code = if token.is_empty() { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "{token}: {said}");
        assert!(
            said.contains(why) && said.lines().count() == 1,
            "{token}: {said}"
        );
    }
    assert_undisturbed(&[1, 2], &rest);
    Host::Client.sh(
        "pkill -x ssid; while pgrep -x ssid >/dev/null; do sleep 0.01; done
        ssid --unload >&2; rm -r /etc/ssi/ssi.toml /var/lib/ssi",
    );
    newcomer.run(&["ssi", "rejoin"]);
    view::settled(&nodes);
}

/// Connects as fast as it can, says nonsense, and keeps some connections open, until `stop`.
fn crowd(net: &NetNs, target: SocketAddr, stop: &Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    let (net, stop) = (net.clone(), Arc::clone(stop));
    thread::spawn(move || {
        net.enter();
        let (mut tried, mut open) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            tried += 1;
            let Ok(mut stream) = TcpStream::connect_timeout(&target, BEAT) else {
                continue;
            };
            // It may be closed already.
            let _ = stream.write_all(&[0x16, 3, 1, 0xff, 0xff, 1, 2, 3]);
            open.push(stream);
            if open.len() > 100 {
                open.clear();
            }
        }
        tried
    })
}

fn crowds(cluster: &Cluster) {
    web::start(cluster);
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(cluster.host(1), "slot");
    for node in cluster.nodes() {
        service.add_server(cluster.host(1), cluster.server(node, V4, 80), "-g", 1);
    }
    let nodes = all(cluster);
    let before = view::settled(&nodes);
    let held = Load::held(cluster.client(), service.address, 20, BEAT);
    let stop = Arc::new(AtomicBool::new(false));
    let outside = SocketAddr::new(cluster.external(1, V4), 0);
    let inside = cluster.server(1, V4, 0);
    let node = cluster.net(2);
    let at = |address: SocketAddr, port| SocketAddr::new(address.ip(), port);
    let crowds = [
        crowd(cluster.client(), at(outside, DOOR), &stop),
        crowd(cluster.client(), at(outside, PORT), &stop),
        crowd(&node, at(inside, DOOR), &stop),
        crowd(&node, at(inside, PORT), &stop),
    ];
    thread::sleep(Duration::from_secs(3));
    assert_undisturbed(&nodes, &before);
    // Who is welcome gets in all the same.
    boot(&[4]);
    thread::sleep(Duration::from_secs(1));
    stop.store(true, Ordering::Relaxed);
    let tried: Vec<u64> = crowds
        .into_iter()
        .map(|crowd| crowd.join().expect("no panic"))
        .collect();
    println!("    connections tried, outside and inside, door and port: {tried:?}");
    assert!(
        tried.iter().all(|tried| *tried > 100),
        "no crowd: {tried:?}"
    );
    held.stop().assert_flawless();
    let shown = ics(1);
    let refused = shown["refused"].as_object().expect("reasons");
    let count = |part: &str| -> u64 {
        let found = refused.iter().filter(|(reason, _)| reason.contains(part));
        found.filter_map(|(_, count)| count.as_u64()).sum()
    };
    assert!(count("at the door") > 0, "{refused:?}");
    assert!(
        count("") > count("at the door"),
        "nobody was refused at the port: {refused:?}"
    );
    let said = testbed_log(1);
    let told = said.lines().filter(|line| line.contains("refus")).count();
    assert!(told < 100, "{told} lines about it in the log");
    let newcomer = cluster.host(4);
    newcomer.run(&["ssi", "leave", "--yes"]);
    view::settled(&nodes);
    cluster.host(1).run(&["ssi", "forget", "4", "--yes"]);
    crash(&[4]);
}

fn testbed_log(node: u8) -> String {
    common::cluster::testbed(&["logs", &node.to_string()]).expect("a log")
}

/// What the fence of a node has counted, by reason.
fn fence(node: u8) -> BTreeMap<String, u64> {
    let shown = ics(node);
    let counted = shown["fence"].as_array().expect("counters").iter();
    let counted = counted.map(|one| {
        let name = one["name"].as_str().expect("a name").to_owned();
        (name, one["count"].as_u64().expect("a number"))
    });
    counted.collect()
}

/// Probes of node 2 for node 1, as they were on the wire.
fn overheard(cluster: &Cluster) -> Vec<[u8; BYTES]> {
    let node = cluster.server(1, V4, 0).ip();
    let output = cluster.host(2).output(&[
        "sh",
        "-c",
        &format!(
            "timeout 10 tcpdump -i {} -Qout -c 20 -w - --immediate-mode \
             udp dst port {PORT} and dst host {node} 2>/dev/null",
            cluster.interconnect()
        ),
    ]);
    // A file's header, then frames, each after a header that says its length.
    let mut rest = &output.stdout[24..];
    let mut probes = Vec::new();
    while let Some((header, frames)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
        let (frame, more) = frames.split_at(length as usize);
        // Ethernet, IPv4, UDP.
        probes.push(frame[14 + 20 + 8..].try_into().expect("a probe"));
        rest = more;
    }
    assert!(!probes.is_empty(), "node 2 does not probe node 1");
    probes
}

fn probes(cluster: &Cluster) {
    let nodes = all(cluster);
    let before = view::settled(&nodes);
    let real = overheard(cluster).pop().expect("one");
    let changed = |at: usize| {
        let mut probe = real;
        probe[at] ^= 0x40;
        probe
    };
    let own = cluster.server(2, V4, PORT);
    let stranger = SocketAddr::new(cluster.spare_address(0), PORT);
    let counted = fence(1);
    let elsewhere = fence(3);
    let to = |node| cluster.server(node, V4, PORT);
    let sent: [(&str, SocketAddr, SocketAddr, Vec<u8>); 6] = [
        ("probe replayed", own, to(1), real.to_vec()),
        // A higher nonce, another key.
        ("probe with a wrong tag", own, to(1), changed(30).to_vec()),
        ("probe with an unknown key", own, to(1), changed(6).to_vec()),
        ("probe of a stranger", stranger, to(1), real.to_vec()),
        ("probe malformed", own, to(1), real[..BYTES - 1].to_vec()),
        // It was for node 1.
        ("probe of a stranger", own, to(3), real.to_vec()),
    ];
    for (reason, from, to, payload) in sent {
        let node = if to.ip() == cluster.server(3, V4, 0).ip() {
            3
        } else {
            1
        };
        cluster.net(2).run(move || {
            let probe = Datagram::new(from, to, 7, &payload);
            let socket = probe.socket().expect("needs root");
            for packet in probe.fragments().iter().cycle().take(PROBES as usize) {
                socket.send_to(packet, &probe.destination()).expect("sends");
            }
        });
        thread::sleep(Duration::from_millis(100));
        let then = if node == 1 { &counted } else { &elsewhere };
        let more =
            fence(node).get(reason).copied().unwrap_or(0) - then.get(reason).copied().unwrap_or(0);
        assert!(more >= PROBES, "{reason}: {more} counted on node {node}");
    }
    assert_undisturbed(&nodes, &before);
}
