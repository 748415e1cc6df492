//! What must hold: always, and when nothing is wrong any more.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use ssi_api::control::{Client, Reply, Request};
use ssi_api::service::{InstanceView, ServiceRequest};
use ssi_testbed::plan::Machine;
use ssi_testbed::{form, state};

use super::beat::End;
use super::services::{NODES, Services};
use super::witness::{self, Run};

/// How long everything may take to be right again when nothing is wrong any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// How many complaints are shown.
const SHOWN: usize = 12;

/// How everything is at a moment at which all is right.
pub(crate) struct Right {
    /// All runs there ever were.
    pub(crate) runs: BTreeMap<String, Vec<Run>>,
    /// How each instance is.
    pub(crate) views: BTreeMap<String, InstanceView>,
}

/// What a node says of everything; none if it doesn't answer.
fn list(node: u8) -> Option<BTreeMap<String, InstanceView>> {
    let socket = form::socket(&state::running().ok()?, Machine::Node(node))?;
    let mut client = Client::connect(&socket, Duration::from_secs(5)).ok()?;
    let request = ServiceRequest::List { names: Vec::new() };
    let Ok(Reply::Supervised(view)) = client.request(Request::Service(request)) else {
        return None;
    };
    let name = |view: &InstanceView| format!("{}:{}", view.name, view.instance);
    let all = view.instances.into_iter();
    Some(all.map(|view| (name(&view), view)).collect())
}

/// Nothing ran twice at one instant, ever.
pub(crate) fn never_twice(runs: &BTreeMap<String, Vec<Run>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for runs in runs.values() {
        for (place, later) in runs.iter().enumerate() {
            let before = runs[..place].iter().max_by_key(|run| run.last);
            if let Some(before) = before.filter(|before| before.last >= later.first) {
                let both = (before.last - later.first) / 1_000_000;
                wrong.push(format!(
                    "ran twice, for {both} ms at least: {before:?} and {later:?}"
                ));
            }
        }
    }
    wrong
}

/// What is not as the configuration wants it.
fn not_right(
    services: &Services,
    views: &BTreeMap<String, InstanceView>,
    runs: &BTreeMap<String, Vec<Run>>,
    seen: u64,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let surplus = views
        .keys()
        .filter(|name| !services.places.contains_key(*name));
    wrong.extend(surplus.map(|name| format!("{name} is nothing that is wanted")));
    for (name, nodes) in &services.places {
        let Some(view) = views.get(name) else {
            wrong.push(format!("{name} is lost"));
            continue;
        };
        let node = view.node.and_then(|node| u8::try_from(node).ok());
        if view.state != "ok" || node.is_none_or(|node| !nodes.contains(&node)) {
            let (state, why) = (&view.state, &view.why);
            wrong.push(format!(
                "{name} is {state} on {node:?}, wanted on {nodes:?}: {why}"
            ));
            continue;
        }
        let of = runs.get(name).map_or(&[][..], Vec::as_slice);
        let living: Vec<&Run> = of.iter().filter(|run| run.runs(seen)).collect();
        let as_shown = |run: &&Run| {
            Some(run.pid) == view.pid
                && node.is_some_and(|node| run.node == Machine::Node(node).name())
        };
        if living.len() != 1 || !living.iter().all(as_shown) {
            wrong.push(format!(
                "{name} is shown as {:?} on {node:?}, and these run: {living:?}",
                view.pid
            ));
        }
    }
    wrong
}

/// Waits until all is right, as every node says; panics if something ran twice, or it takes
/// too long.
#[track_caller]
pub(crate) fn right(services: &Services) -> (Right, Duration) {
    let start = Instant::now();
    let mut asked = (1..=NODES).cycle();
    let mut agree = BTreeSet::new();
    loop {
        let node = asked.next().expect("it goes round");
        let views = list(node);
        let (runs, seen) = witness::runs();
        let twice = never_twice(&runs);
        assert!(twice.is_empty(), "{}", shown(&twice));
        let wrong = match &views {
            None => vec![format!("node {node} doesn't answer")],
            Some(views) => not_right(services, views, &runs, seen),
        };
        if wrong.is_empty() {
            agree.insert(node);
            if let Some(views) = views.filter(|_| agree.len() == usize::from(NODES)) {
                return (Right { runs, views }, start.elapsed());
            }
            continue;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "not right after {PATIENCE:?}, as node {node} says: {}",
            shown(&wrong)
        );
        thread::sleep(LOOK);
    }
}

/// The first of many complaints.
pub(crate) fn shown(wrong: &[String]) -> String {
    let first = wrong.iter().take(SHOWN);
    let text: String = first.map(|line| format!("\n  {line}")).collect();
    format!("{} complaints{text}", wrong.len())
}

/// The exit code of a run, in the words of supervision.
pub(crate) fn in_words(end: End) -> Option<String> {
    match end {
        End::Code(code) => Some(format!("last exit code {code}")),
        End::Signal(signal) => Some(format!("last signal {signal}")),
        End::Unsaid | End::Asked => None,
    }
}
