//! What is done to a cluster, and what may not happen meanwhile.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use ssi_api::cluster::ClusterView;
use ssi_testbed::plan::EXTERNAL;

use super::cluster::{Cluster, testbed};
use super::netns::NetNs;
use super::view;

/// Does to the testbed what a user types.
#[track_caller]
pub fn run(arguments: &[&str]) -> String {
    testbed(arguments).unwrap_or_else(|reason| panic!("{reason}"))
}

/// The numbers of nodes, for the command line.
fn words(nodes: &[u8]) -> Vec<String> {
    nodes.iter().map(u8::to_string).collect()
}

/// Crashes nodes; when that began.
#[track_caller]
pub fn crash(nodes: &[u8]) -> Instant {
    let words = words(nodes);
    let mut arguments = vec!["rm"];
    arguments.extend(words.iter().map(String::as_str));
    let start = Instant::now();
    run(&arguments);
    start
}

/// Boots nodes again and waits until they are UP.
#[track_caller]
pub fn boot(nodes: &[u8]) {
    let words = words(nodes);
    let mut arguments = vec!["add"];
    arguments.extend(words.iter().map(String::as_str));
    run(&arguments);
}

/// A fault.
#[track_caller]
pub fn fault(words: &str) {
    let mut arguments = vec!["fault"];
    arguments.extend(words.split(' '));
    run(&arguments);
}

/// Panics unless the nodes are as they were `before`, as each of `nodes` sees it.
#[track_caller]
pub fn assert_undisturbed(nodes: &[u8], before: &ClusterView) {
    for node in nodes {
        let now = view::wait(&[*node], "it acts", |_| true);
        assert_eq!(now.nodes, before.nodes, "as node {node} saw it");
    }
}

/// Programs that do nothing but take processor time, while this lives.
pub struct Hogs(Vec<Child>);

impl Hogs {
    /// So many for each core of the machine.
    pub fn per_core(count: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let hog = || {
            let mut hog = Command::new("sh");
            hog.args(["-c", "while :; do :; done"]);
            hog.spawn().expect("sh")
        };
        Self((0..count * cores).map(|_| hog()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            // It runs until it is killed.
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// Looks again and again which nodes answer for an address on their external interface.
pub struct Owners {
    stop: Arc<AtomicBool>,
    look: JoinHandle<Vec<(Instant, Vec<u8>)>>,
}

impl Owners {
    /// Looks at `address` on `nodes` every 20 ms; panics, at the end, if two had it at one
    /// instant.
    pub fn watch(cluster: &Cluster, nodes: &[u8], address: IpAddr) -> Self {
        let nets = nodes.iter().map(|node| (*node, cluster.net(*node)));
        let nets: BTreeMap<u8, NetNs> = nets.collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let look = thread::spawn(move || {
            let mut seen = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let (first, second) = (holders(&nets, address), holders(&nets, address));
                // Who has it both times had it when the later ones of the first round were
                // looked at.
                let one = first.iter().find(|node| second.contains(node));
                let other = first.iter().find(|node| one.is_some_and(|one| *node > one));
                assert!(
                    other.is_none(),
                    "nodes {first:?} have {address} at one instant"
                );
                seen.push((Instant::now(), second));
                thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, look }
    }

    /// Ends it: who had the address, and when that was seen.
    #[track_caller]
    pub fn stop(self) -> Vec<(Instant, Vec<u8>)> {
        self.stop.store(true, Ordering::Relaxed);
        match self.look.join() {
            Ok(seen) => seen,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// The nodes that have `address` on the external interface, looked at in order.
fn holders(nets: &BTreeMap<u8, NetNs>, address: IpAddr) -> Vec<u8> {
    let has = |net: &NetNs| {
        net.enter();
        let mut all = getifaddrs().expect("addresses");
        all.any(|interface| {
            let v4 = interface
                .address
                .as_ref()
                .and_then(|at| at.as_sockaddr_in());
            interface.interface_name == EXTERNAL
                && v4.is_some_and(|at| IpAddr::V4(at.ip()) == address)
        })
    };
    nets.iter()
        .filter(|(_, net)| has(net))
        .map(|(node, _)| *node)
        .collect()
}
