//! Fifteen nodes, and each fault for a while: nobody who is well is put out, who isn't well
//! goes, and afterwards all is as before.
//!
//! `SSI_SOAK_SECONDS` is how long each fault lasts; `make soak` takes ten minutes.

mod common;
mod soak {
    pub(crate) mod hogs;
    pub(crate) mod watch;
}

use std::process::ExitCode;
use std::time::Duration;

use common::cluster::testbed;
use common::{Cluster, main as run};
use soak::hogs::Hogs;
use soak::watch::{Watch, seconds, settled};

const NODES: u8 = 15;
/// How soon a node must be out that nobody can rely on.
const SOON: Duration = Duration::from_secs(5);
/// Half a period of a node that comes and goes.
const FLIP: u64 = 20;
/// Hogs a core.
const HOGS: usize = 8;
/// Longest that `ssid` is stopped for, seconds.
const STOPPED: u64 = 10;
/// How long it has then to catch up, seconds.
const BREATH: u64 = 3;

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("one node loses 80 % of its packets", lossy),
            ("one node hears nothing, then says nothing", one_way),
            (
                "one node hears nothing for 20 s, and well for 20 s",
                flip_flop,
            ),
            ("everybody loses 10 %", loss),
            ("eight hogs a core", hogs),
            ("ssid is stopped for 1 to 10 s, here and there", stopped),
        ],
    )
}

/// A node that does not lead.
fn bystander() -> u8 {
    let master = settled(NODES).master;
    let mut nodes = (1..=NODES).rev();
    let found = nodes.find(|node| Some(u16::from(*node)) != master);
    found.expect("fifteen nodes, one master")
}

fn list(nodes: impl Iterator<Item = u8>) -> String {
    let words: Vec<_> = nodes.map(|node| node.to_string()).collect();
    words.join(",")
}

fn others(faulty: u8) -> String {
    list((1..=NODES).filter(|node| *node != faulty))
}

fn fault(words: &[&str]) {
    let mut command = vec!["fault"];
    command.extend(words);
    testbed(&command).expect("the fault is possible");
}

/// From now on what is sent to a node does not arrive.
fn deafen(faulty: u8) {
    fault(&[
        "partition",
        &others(faulty),
        &faulty.to_string(),
        "--one-way",
    ]);
}

fn lossy(_: &Cluster) {
    let faulty = bystander();
    let mut watch = Watch::new(NODES, &[faulty]);
    fault(&["loss", &faulty.to_string(), "80"]);
    watch.goes(faulty, SOON);
    watch.for_seconds(seconds(), |_| {});
    fault(&["heal"]);
    watch.finish();
}

fn one_way(_: &Cluster) {
    let faulty = bystander();
    let mut watch = Watch::new(NODES, &[faulty]);
    deafen(faulty);
    watch.goes(faulty, SOON);
    watch.for_seconds(seconds() / 2, |_| {});
    fault(&["heal"]);
    watch.finish();
    let mut watch = Watch::new(NODES, &[faulty]);
    fault(&[
        "partition",
        &faulty.to_string(),
        &others(faulty),
        "--one-way",
    ]);
    watch.goes(faulty, SOON);
    watch.for_seconds(seconds() / 2, |_| {});
    fault(&["heal"]);
    watch.finish();
}

fn flip_flop(_: &Cluster) {
    let faulty = bystander();
    let mut watch = Watch::new(NODES, &[faulty]);
    let mut deaf = false;
    watch.for_seconds(seconds(), |second| {
        let now = (second / FLIP).is_multiple_of(2);
        if now != deaf {
            deaf = now;
            if deaf {
                deafen(faulty);
            } else {
                fault(&["heal"]);
            }
        }
    });
    fault(&["heal"]);
    watch.finish();
}

fn loss(_: &Cluster) {
    let mut watch = Watch::new(NODES, &[]);
    let all = list(1..=NODES);
    fault(&["loss", &format!("{all}:{all}"), "10"]);
    watch.for_seconds(seconds(), |_| {});
    fault(&["heal"]);
    watch.finish();
}

fn hogs(_: &Cluster) {
    let mut watch = Watch::new(NODES, &[]);
    let hogs = Hogs::start(HOGS);
    watch.for_seconds(seconds(), |_| {});
    drop(hogs);
    watch.finish();
}

/// Nodes in turn, the master too; each time a second longer, up to ten.
fn stopped(cluster: &Cluster) {
    let mut watch = Watch::new(NODES, &[]);
    let (mut node, mut long, mut next) = (0, 0, 0);
    let mut still = false;
    let signal = |node: u8, signal: &str| {
        cluster
            .host(node % NODES + 1)
            .run(&["pkill", signal, "-x", "ssid"]);
    };
    watch.for_seconds(seconds(), |second| {
        if second < next {
            return;
        }
        if still {
            signal(node, "-CONT");
            node = (node + 1) % NODES;
            next = second + BREATH;
        } else {
            signal(node, "-STOP");
            long = long % STOPPED + 1;
            next = second + long;
        }
        still = !still;
    });
    if still {
        signal(node, "-CONT");
    }
    watch.finish();
}
