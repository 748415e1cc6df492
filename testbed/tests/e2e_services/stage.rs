//! What the services have in common: a folder that all nodes share, what is applied, what
//! `ssi` says of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::Cluster;
use super::common::cluster::Family::V4;
use super::common::host::Host;

/// All nodes have it in common: their root is this machine's. It stands for a disk that every
/// node reaches, and what is written there outlives a node as there.
const FOLDER: &str = "/srv/ssi-services";
/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(10);

/// A folder in the one that all share; made anew.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(FOLDER).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder in /srv");
    path
}

/// Removes all of it.
pub(crate) fn forget() {
    let _ = fs::remove_dir_all(FOLDER);
}

/// Applies a configuration, and nothing else is kept alive then.
#[track_caller]
pub(crate) fn only(cluster: &Cluster, text: &str) {
    let apply = ["ssi", "service", "apply", "--only", "-"];
    cluster.host(1).feed(&apply, text.as_bytes());
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        thread::sleep(LOOK);
    }
    start.elapsed()
}

/// How all instances of a process are: state, and node.
pub(crate) fn instances(host: Host, name: &str) -> Vec<(String, u64)> {
    let said = host.output(&["ssi", "-o", "json", "service", "list"]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    let all = said["services"].as_array().cloned().unwrap_or_default();
    let of = all.iter().filter(|instance| instance["name"] == name);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let each = of.map(|i| (word(&i["state"]), i["node"].as_u64().unwrap_or(0)));
    each.collect()
}

/// The node on which the only instance of a process is ready; 0: none is.
pub(crate) fn ready_on(host: Host, name: &str) -> u8 {
    match &instances(host, name)[..] {
        [(state, node)] if state == "ok" => u8::try_from(*node).unwrap_or(0),
        _ => 0,
    }
}

/// The real servers of a virtual service as a node has them: the number of the node each is,
/// and its weight.
pub(crate) fn servers(cluster: &Cluster, at: u8, port: u16) -> Vec<(u8, u64)> {
    let said = cluster
        .host(at)
        .output(&["ssi", "lvs", "-L", "-n", "-o", "json"]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    let all = said["services"].as_array().cloned().unwrap_or_default();
    let named = |service: &&Value| service["service"]["address"]["port"] == port;
    let service = all.iter().find(named).cloned().unwrap_or_default();
    let servers = service["servers"].as_array().cloned().unwrap_or_default();
    let of = |server: &Value| {
        let addr = server["server"]["addr"].as_str()?;
        let mut nodes = cluster.nodes();
        let node = nodes.find(|n| cluster.server(*n, V4, 0).ip().to_string() == addr)?;
        Some((node, server["spec"]["weight"].as_u64()?))
    };
    let mut servers: Vec<_> = servers.iter().filter_map(of).collect();
    servers.sort_unstable();
    servers
}

/// Waits until all nodes that are named have these real servers, and no other that takes
/// connections: who has ended lingers without.
#[track_caller]
pub(crate) fn served_by(cluster: &Cluster, nodes: &[u8], port: u16, wanted: &[(u8, u64)]) {
    let start = Instant::now();
    for node in nodes {
        loop {
            let is = servers(cluster, *node, port);
            let takes = is.iter().filter(|server| server.1 != 0);
            if takes.eq(wanted) {
                break;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "on node {node} port {port} has {is:?}, not {wanted:?}"
            );
            thread::sleep(LOOK);
        }
    }
}

/// Kills the main process of an instance, with signal 9.
#[track_caller]
pub(crate) fn kill_main(cluster: &Cluster, node: u8, name: &str) {
    let said = cluster
        .host(node)
        .run(&["ssi", "-o", "json", "service", "list"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let all = said["services"].as_array().expect("a list");
    let is = |instance: &&Value| instance["name"] == name && instance["node"] == node;
    let instance = all.iter().find(is).expect("it runs there");
    let pid = instance["pid"].as_u64().expect("it runs").to_string();
    cluster.host(node).run(&["kill", "-KILL", &pid]);
}
