//! As many nodes as the testbed has.

mod common;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use common::disturb::{boot, crash};
use common::{Cluster, main as run, view};
use ssi_api::cluster::{ClusterView, NodeState};

const NODES: u8 = 15;
/// How long a new view may take: a second is the aim, and machines that run tests are busy.
const LATE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("one of fifteen crashes", |c| crashes(c, 1, false)),
            ("three of fifteen crash at once", |c| crashes(c, 3, false)),
            (
                "three of fifteen crash at once, the master among them",
                |c| {
                    crashes(c, 3, true);
                },
            ),
        ],
    )
}

/// So many crash, the master or not. All others see them go together, in one change of the
/// view; who becomes master meanwhile knows of the first before it hears of the last.
fn crashes(cluster: &Cluster, count: usize, with_master: bool) {
    let all: Vec<u8> = cluster.nodes().collect();
    let before = view::settled(&all);
    let master = before.master.and_then(|master| u8::try_from(master).ok());
    let master = master.expect("a master");
    let mut victims: Vec<u8> = with_master.then_some(master).into_iter().collect();
    for node in [4, 12, 9, 14, 15, 13] {
        // Of five voters, three stay.
        let voters = victims.iter().filter(|node| votes(&before, **node));
        let may = voters.count() < 2 || !votes(&before, node);
        if victims.len() < count && node != master && may {
            victims.push(node);
        }
    }
    assert_eq!(victims.len(), count, "too many vote: {:?}", before.voters);
    let others: Vec<u8> = all
        .iter()
        .copied()
        .filter(|n| !victims.contains(n))
        .collect();
    let start = crash(&victims);
    view::wait(&others, "they are out", |view| {
        victims.iter().all(|node| view::out(view, *node))
    });
    let took = start.elapsed();
    println!(
        "    {victims:?} out on all others after {} ms",
        took.as_millis()
    );
    let changes = |node: u8| {
        let mut events = view::history(node, before.epoch);
        events.retain(|event| event.to == NodeState::KCleanup);
        let changes: BTreeMap<u64, usize> =
            events.iter().fold(BTreeMap::new(), |mut all, event| {
                *all.entry(event.epoch).or_default() += 1;
                all
            });
        changes
    };
    let first = changes(others[0]);
    for node in &others {
        assert_eq!(changes(*node), first, "node {node} saw something else");
    }
    assert_eq!(first.values().sum::<usize>(), count, "{first:?}");
    assert!(first.len() <= if with_master { 2 } else { 1 }, "{first:?}");
    boot(&victims);
    view::settled(&all);
    assert!(took < LATE, "{took:?}");
}

/// Whether a node is one of the voters.
fn votes(view: &ClusterView, node: u8) -> bool {
    view.voters.contains(&u16::from(node))
}
