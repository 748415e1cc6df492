//! Nodes crash, stand still and leave, and all others have the same view of it.

mod common;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::cluster::Family::V4;
use common::disturb::{Hogs, assert_undisturbed, boot, crash, fault};
use common::host::Host;
use common::load::Load;
use common::lvs::Service;
use common::{Cluster, main as run, view, web};
use ssi_api::cluster::{ClusterView, NodeState};

const NODES: u8 = 5;
/// How long a new view may take: a second is the aim, and machines that run tests are busy.
const LATE: Duration = Duration::from_secs(3);
const BEAT: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("a node crashes: one new view on all others", |c| {
                one_crash(c, bystander);
            }),
            ("the master crashes: one new view on all others", |c| {
                one_crash(c, |view| number(view.master));
            }),
            ("the director crashes: one new view on all others", |c| {
                one_crash(c, |view| view::director(view).expect("a director"));
            }),
            (
                "an ssid that stands still for 10 s is no dead node",
                stopped,
            ),
            (
                "an ssid killed and started again goes on in the same life, users notice nothing",
                killed,
            ),
            ("eight hogs a core change nothing", hogs),
            ("a tenth of a node's packets lost changes nothing", loss),
            (
                "each leaves and comes back, and services are set meanwhile",
                in_turn,
            ),
        ],
    )
}

fn number(number: Option<u16>) -> u8 {
    let number = number.expect("there is one");
    u8::try_from(number).expect("1 to 15")
}

/// A node that neither leads nor directs.
fn bystander(view: &ClusterView) -> u8 {
    let owners: Vec<_> = view.resources.iter().map(|held| held.owner).collect();
    let mut numbers = view.nodes.iter().map(|member| Some(member.number));
    let number = numbers.find(|n| *n != view.master && !owners.contains(n));
    self::number(number.expect("five nodes, two addresses, one master"))
}

fn all(cluster: &Cluster) -> Vec<u8> {
    cluster.nodes().collect()
}

fn one_crash(cluster: &Cluster, who: fn(&ClusterView) -> u8) {
    let before = view::settled(&all(cluster));
    let victim = who(&before);
    let others: Vec<u8> = cluster.nodes().filter(|node| *node != victim).collect();
    let start = crash(&[victim]);
    view::wait(&others, "the node is out", |view| view::out(view, victim));
    let took = start.elapsed();
    println!(
        "    node {victim} out on all others after {} ms",
        took.as_millis()
    );
    let after = view::wait(&others, "the node is down", |view| {
        let member = view::member(view, victim).expect("it is known");
        let owned = |held: &Option<u16>| held.is_some_and(|owner| owner != u16::from(victim));
        member.state == NodeState::Down && view.resources.iter().all(|held| owned(&held.owner))
    });
    println!(
        "    cleaned up after, and all it had is others', after {} ms",
        start.elapsed().as_millis()
    );
    assert!(
        after
            .master
            .is_some_and(|master| master != u16::from(victim))
    );
    // Everybody saw the same, in the same order, and nothing but that.
    let seen = |node: u8| {
        let events = view::history(node, before.epoch).into_iter();
        let events = events.map(|e| (e.epoch, e.node, e.incarnation, e.from, e.to, e.why));
        events.collect::<Vec<_>>()
    };
    let first = seen(others[0]);
    let states: Vec<_> = first.iter().map(|event| (event.1, event.4)).collect();
    assert_eq!(
        states,
        [NodeState::KCleanup, NodeState::UCleanup, NodeState::Down]
            .map(|to| (u16::from(victim), to)),
    );
    for node in &others[1..] {
        assert_eq!(seen(*node), first, "node {node} saw something else");
    }
    // What users are shown.
    for node in &others {
        let shown = cluster.host(*node).run(&["ssi", "cluster", "-o", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let shown: ClusterView = serde_json::from_value(shown["cluster"].clone()).expect("a view");
        assert_eq!(view::agreed(&shown), after);
    }
    boot(&[victim]);
    let back = view::settled(&all(cluster));
    let life = |view: &ClusterView| view::member(view, victim).expect("it is known").incarnation;
    assert_eq!(life(&back), life(&before) + 1);
    assert!(took < LATE, "{took:?}");
}

fn stopped(cluster: &Cluster) {
    let before = view::settled(&all(cluster));
    let still = bystander(&before);
    let others: Vec<u8> = cluster.nodes().filter(|node| *node != still).collect();
    cluster.host(still).run(&["pkill", "-STOP", "-x", "ssid"]);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        assert_undisturbed(&others, &before);
        thread::sleep(Duration::from_millis(200));
    }
    cluster.host(still).run(&["pkill", "-CONT", "-x", "ssid"]);
    view::settled(&all(cluster));
    assert_undisturbed(&all(cluster), &before);
    // It takes part again.
    Service::tcp(cluster.cvip(V4), 81).add(cluster.host(still), "rr");
}

fn killed(cluster: &Cluster) {
    web::start(cluster);
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(cluster.host(1), "slot");
    for node in cluster.nodes() {
        service.add_server(cluster.host(1), cluster.server(node, V4, 80), "-g", 1);
    }
    let sum = web::publish(cluster, "hundred", 100 << 20);
    let before = view::settled(&all(cluster));
    let held = Load::held(cluster.client(), service.address, 50, BEAT);
    for node in [
        number(before.master),
        bystander(&before),
        cluster.director_number(),
    ] {
        let download = web::Download::start(service.address, "hundred", &sum);
        thread::sleep(Duration::from_millis(300));
        cluster.kill_daemon(node);
        cluster.wait_for_daemon(node);
        let now = view::settled(&all(cluster));
        assert_eq!(
            view::of(node).expect("it answers").incarnation,
            Some(life(&before, node))
        );
        assert_eq!(
            now.nodes, before.nodes,
            "after ssid of node {node} was killed"
        );
        download.finish();
    }
    held.stop().assert_flawless();
}

fn life(view: &ClusterView, node: u8) -> u32 {
    view::member(view, node).expect("it is known").incarnation
}

fn hogs(cluster: &Cluster) {
    let before = view::settled(&all(cluster));
    let hogs = Hogs::per_core(8);
    thread::sleep(Duration::from_secs(15));
    drop(hogs);
    assert_undisturbed(&all(cluster), &before);
}

fn loss(cluster: &Cluster) {
    let before = view::settled(&all(cluster));
    fault(&format!("loss {} 10", bystander(&before)));
    thread::sleep(Duration::from_secs(20));
    fault("heal");
    assert_undisturbed(&all(cluster), &before);
}

/// `ssi lvs`, as often as it takes: while the master leaves, nobody may know whether it wrote
/// a change down.
fn set(host: Host, rule: &str) {
    let words: Vec<&str> = ["ssi", "lvs"].into_iter().chain(rule.split(' ')).collect();
    let mut said = String::new();
    for _ in 0..20 {
        let output = host.output(&words);
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        let done = said.contains("already") || said.contains("has agreed");
        if output.status.success() || done {
            return;
        }
        assert!(
            said.contains("is not known") || said.contains("no master"),
            "{rule}: {said}"
        );
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{rule}: {said}");
}

/// Also the master, the directors and those who have just come back: nobody is left behind,
/// and all end with the same services and the same slots.
fn in_turn(cluster: &Cluster) {
    let nodes = all(cluster);
    view::settled(&nodes);
    for node in &nodes {
        let other = cluster.host(node % NODES + 1);
        let host = cluster.host(*node);
        host.run(&["ssi", "leave", "--yes"]);
        let port = 8000 + u16::from(*node);
        let service = SocketAddr::new(cluster.cvip(V4), port);
        set(other, &format!("-A -t {service} -s slot"));
        for (server, weight) in [(1, 1), (2, 2)] {
            let server = cluster.server(server, V4, port);
            set(
                other,
                &format!("-a -t {service} -r {server} -g -w {weight}"),
            );
        }
        host.run(&["ssi", "rejoin"]);
    }
    view::settled(&nodes);
    let shown = |node: &u8| {
        let host = cluster.host(*node);
        let table = "bpftool map dump pinned /sys/fs/bpf/ssi/*/maps/TABLE | sha256sum";
        (host.run(&["ssi", "lvs", "-S", "-n"]), host.sh(table))
    };
    let first = shown(&nodes[0]);
    assert_eq!(
        first.0.lines().count(),
        3 * usize::from(NODES),
        "{}",
        first.0
    );
    for node in &nodes {
        assert_eq!(shown(node), first, "node {node}");
    }
}
