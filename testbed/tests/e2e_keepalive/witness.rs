//! The witness: a file outside of all nodes, to which every supervised process appends a line
//! as long as it runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::Cluster;
use super::common::host::Host;

/// A folder that all nodes have in common: their root is this machine's.
const FOLDER: &str = "/srv/ssi-keepalive-witness";
/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(5);

/// Says that it is there, 50 times a second, and when it is asked to end. The process and
/// whatever it starts are told apart from all others by a word of their own.
pub(crate) const BEAT: &str = r#"#!/bin/sh
read -r uuid </proc/sys/kernel/random/uuid
read -r node </proc/sys/kernel/hostname
me="$SSI_SERVICE:${SSI_INSTANCE:-0} $node ${uuid%%-*} $$"
trap 'echo "$me term" >>/srv/ssi-keepalive-witness/seen; exit 0' TERM
echo "$me start" >>/srv/ssi-keepalive-witness/seen
echo "line of $me"
while :; do
    echo "$me beat" >>/srv/ssi-keepalive-witness/seen
    sleep 0.02
done
"#;

/// The program that beats.
pub(crate) fn beat() -> PathBuf {
    let path = Path::new(FOLDER).join("beat");
    if !path.exists() {
        fs::create_dir_all(FOLDER).expect("a folder in /srv");
        put("beat", BEAT);
    }
    path
}

/// A program in the folder.
pub(crate) fn put(name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(FOLDER).expect("a folder in /srv");
    let path = Path::new(FOLDER).join(name);
    fs::write(&path, text).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

/// What a file in the folder has.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).unwrap_or_default()
}

/// Removes all of it.
pub(crate) fn forget() {
    let _ = fs::remove_dir_all(FOLDER);
}

/// A process that beats, as a configuration has it.
pub(crate) fn process(name: &str, more: &str) -> String {
    let path = beat();
    format!(
        "[[process]]\nname = \"{name}\"\npath = \"{}\"\n{more}\n",
        path.display()
    )
}

/// Applies a configuration at a node, and nothing else is kept alive then.
#[track_caller]
pub(crate) fn only(cluster: &Cluster, at: u8, text: &str) {
    let host = cluster.host(at);
    host.feed(&["ssi", "service", "apply", "--only", "-"], text.as_bytes());
}

/// One run of a process, as the witness saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) node: String,
    /// Its own word.
    pub(crate) word: String,
    pub(crate) pid: u32,
    /// On which lines it was seen first, and last.
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// All runs of an instance, like `web:0`, in the order of their first lines.
pub(crate) fn runs(instance: &str) -> Vec<Run> {
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    for (number, line) in read("seen").lines().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, node, word, pid, _] = words[..] else {
            continue;
        };
        if name != instance {
            continue;
        }
        let run = runs.entry(word.to_owned()).or_insert_with(|| Run {
            node: node.to_owned(),
            word: word.to_owned(),
            pid: pid.parse().unwrap_or(0),
            first: number,
            last: number,
        });
        run.last = number;
    }
    let mut runs: Vec<Run> = runs.into_values().collect();
    runs.sort_by_key(|run| run.first);
    runs
}

/// Panics if two runs of an instance were there at one time.
#[track_caller]
pub(crate) fn assert_once(instance: &str) {
    let runs = runs(instance);
    for pair in runs.windows(2) {
        assert!(
            pair[0].last < pair[1].first,
            "{instance} ran twice: {pair:#?}"
        );
    }
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

/// Waits for a run of an instance other than those before; it.
#[track_caller]
pub(crate) fn next(instance: &str, before: &[Run]) -> Run {
    let known = |run: &Run| before.iter().any(|old| old.word == run.word);
    until(&format!("another run of {instance}"), || {
        !runs(instance).iter().all(known)
    });
    let mut all = runs(instance);
    all.retain(|run| !known(run));
    all.remove(0)
}

/// What `ssi service list` says at a node.
pub(crate) fn list(host: Host) -> Vec<Value> {
    let said = host
        .output(&["ssi", "-o", "json", "service", "list"])
        .stdout;
    let said: Value = serde_json::from_slice(&said).unwrap_or_default();
    said["services"].as_array().cloned().unwrap_or_default()
}

/// The nodes that run an instance of this now, as a node has it.
pub(crate) fn nodes_of(host: Host, name: &str) -> Vec<u64> {
    let all = list(host);
    let of = all
        .iter()
        .filter(|i| i["name"] == name && i["state"] == "ok");
    let mut nodes: Vec<u64> = of.filter_map(|i| i["node"].as_u64()).collect();
    nodes.sort_unstable();
    nodes
}

/// How an instance is, as a node shows it.
pub(crate) fn shown(host: Host, name: &str, instance: u32) -> Option<Value> {
    let all = list(host);
    let mut of = all.into_iter();
    of.find(|i| i["name"] == name && i["instance"] == instance)
}

/// Waits until a node shows an instance in this state; how it is then.
#[track_caller]
pub(crate) fn in_state(host: Host, name: &str, state: &str) -> Value {
    let start = Instant::now();
    loop {
        let now = shown(host, name, 0);
        if let Some(now) = &now
            && now["state"] == state
        {
            return now.clone();
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{name} is not {state} on {host}: {now:#?}"
        );
        thread::sleep(LOOK);
    }
}
