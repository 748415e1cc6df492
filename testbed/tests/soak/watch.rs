//! What the nodes see while something is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::thread;
use std::time::{Duration, Instant};

use ssi_api::cluster::{ClusterRequest, ClusterView, Event, NodeState};
use ssi_api::control::{Client, Reply, Request};
use ssi_testbed::plan::Machine;
use ssi_testbed::{form, state};

/// How long the cluster may take to be whole again.
const WHOLE: Duration = Duration::from_secs(60);
/// How long an `ssid` may take to answer: it may be stopped.
const ANSWER: Duration = Duration::from_millis(1500);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How long a fault lasts, seconds.
pub(crate) fn seconds() -> u64 {
    let said = env::var("SSI_SOAK_SECONDS").ok();
    said.map_or(30, |said| {
        said.parse().expect("SSI_SOAK_SECONDS is a number")
    })
}

fn view(node: u8) -> Option<ClusterView> {
    let state = state::running().expect("the testbed runs");
    form::view(&state, Machine::Node(node))
}

/// Waits until nodes 1 to `nodes` are UP in one view that all of them have.
pub(crate) fn settled(nodes: u8) -> ClusterView {
    let until = Instant::now() + WHOLE;
    loop {
        let views: Vec<_> = (1..=nodes).map(view).collect();
        let well = |view: &Option<ClusterView>| {
            view.as_ref().is_some_and(|view| {
                let up = view.nodes.iter().filter(|n| n.state == NodeState::Up);
                !view.fenced && view.incarnation.is_some() && up.count() == usize::from(nodes)
            })
        };
        let epochs: BTreeSet<_> = views.iter().flatten().map(|view| view.epoch).collect();
        if epochs.len() == 1 && views.iter().all(well) {
            return views.into_iter().flatten().next().expect("all of them");
        }
        assert!(
            Instant::now() < until,
            "not whole after {WHOLE:?}: {:?}",
            views
                .iter()
                .map(|view| view
                    .as_ref()
                    .map(|view| (view.epoch, view.fenced, &view.waits_for)))
                .collect::<Vec<_>>()
        );
        thread::sleep(LOOK);
    }
}

/// Follows what those nodes record that are well.
pub(crate) struct Watch {
    nodes: u8,
    faulty: BTreeSet<u8>,
    from: u64,
    /// What happened, by epoch; all nodes must tell the same.
    seen: BTreeMap<u64, Vec<Event>>,
    start: Instant,
}

impl Watch {
    /// From a cluster that is whole, with these nodes about to be unwell.
    pub(crate) fn new(nodes: u8, faulty: &[u8]) -> Self {
        Self {
            nodes,
            faulty: faulty.iter().copied().collect(),
            from: settled(nodes).epoch,
            seen: BTreeMap::new(),
            start: Instant::now(),
        }
    }

    fn healthy(&self) -> impl Iterator<Item = u8> + use<> {
        let faulty = self.faulty.clone();
        (1..=self.nodes).filter(move |node| !faulty.contains(node))
    }

    /// Waits until all who are well see a node out.
    pub(crate) fn goes(&mut self, faulty: u8, within: Duration) {
        let out = |view: ClusterView| {
            let known = view.nodes.iter().find(|n| n.number == u16::from(faulty));
            known.is_some_and(|known| known.state >= NodeState::KCleanup)
        };
        let gone = |node: u8| view(node).is_some_and(out);
        let mut waiting: BTreeSet<u8> = self.healthy().collect();
        while !waiting.is_empty() {
            // It may come back: each has to see it out once.
            waiting.retain(|node| !gone(*node));
            let late = self.start.elapsed() > within;
            assert!(
                !late,
                "nodes {waiting:?} have node {faulty} in after {within:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
        println!(
            "    node {faulty} is out after {} ms",
            self.start.elapsed().as_millis()
        );
    }

    /// Lets the fault go on; `each` is called every second.
    pub(crate) fn for_seconds(&mut self, seconds: u64, mut each: impl FnMut(u64)) {
        let start = Instant::now();
        let mut ask = (1..=self.nodes).cycle();
        for second in 0..seconds {
            each(second);
            // Each node remembers its last transitions: one is asked now, all at the end.
            let node = ask.by_ref().find(|node| !self.faulty.contains(node));
            self.note(node.expect("somebody is well"));
            let next = start + Duration::from_secs(second + 1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Takes in what a node records. Whether it answered.
    fn note(&mut self, node: u8) -> bool {
        let state = state::running().expect("the testbed runs");
        let socket = form::socket(&state, Machine::Node(node)).expect("it is up");
        let history = Request::Cluster(ClusterRequest::History);
        let said = Client::connect(&socket, ANSWER).and_then(|mut client| client.request(history));
        let Ok(Reply::History(events)) = said else {
            return false;
        };
        let mut told: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
        for mut event in events.into_iter().filter(|event| event.epoch > self.from) {
            // Its own clock, and when it got to it.
            event.at = 0;
            told.entry(event.epoch).or_default().push(event);
        }
        for (epoch, events) in told {
            let known = self.seen.entry(epoch).or_insert_with(|| events.clone());
            assert_eq!(*known, events, "node {node} tells something else");
        }
        true
    }

    /// The fault is over: nobody who was well has gone, and the cluster gets whole.
    pub(crate) fn finish(mut self) {
        settled(self.nodes);
        for node in self.healthy() {
            assert!(self.note(node), "ssid of node {node} does not answer");
        }
        let events = || self.seen.values().flatten();
        let wronged = events().filter(|event| {
            let number = u8::try_from(event.node).expect("1 to 15");
            event.from == NodeState::Up && !self.faulty.contains(&number)
        });
        let wronged: Vec<_> = wronged.collect();
        let back = events().filter(|event| event.to == NodeState::Up).count();
        println!(
            "    {} s, {} changes of the view, {back} returns, nobody wronged: {}",
            self.start.elapsed().as_secs(),
            self.seen.len(),
            wronged.is_empty(),
        );
        assert!(wronged.is_empty(), "put out though well: {wronged:?}");
    }
}
