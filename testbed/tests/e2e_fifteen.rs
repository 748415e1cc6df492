//! As many nodes as the testbed has.

mod common;

use std::process::ExitCode;
use std::time::Duration;

use common::disturb::{boot, crash};
use common::{Cluster, main as run, view};
use ssi_api::cluster::NodeState;

const NODES: u8 = 15;
/// How long a new view may take: a second is the aim, and machines that run tests are busy.
const LATE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    run(
        NODES,
        &[
            ("one of fifteen crashes", |c| crashes(c, &[9])),
            ("three of fifteen crash at once, the master among them", |c| {
                let all: Vec<u8> = c.nodes().collect();
                let master = view::settled(&all).master.expect("a master");
                let master = u8::try_from(master).expect("1 to 15");
                let others = [4, 12, 13, 14].into_iter().filter(|node| *node != master);
                let victims: Vec<u8> = others.take(2).chain([master]).collect();
                crashes(c, &victims);
            }),
        ],
    )
}

/// All others see them go together, in one change of the view.
fn crashes(cluster: &Cluster, victims: &[u8]) {
    let all: Vec<u8> = cluster.nodes().collect();
    let before = view::settled(&all);
    let others: Vec<u8> = all.iter().copied().filter(|n| !victims.contains(n)).collect();
    let start = crash(victims);
    view::wait(&others, "they are out", |view| victims.iter().all(|node| view::out(view, *node)));
    let took = start.elapsed();
    println!("    {victims:?} out on all others after {} ms", took.as_millis());
    for node in &others {
        let mut events = view::history(*node, before.epoch);
        events.retain(|event| event.to == NodeState::KCleanup);
        assert_eq!(events.len(), victims.len(), "{events:#?}");
        let epoch = events[0].epoch;
        assert!(events.iter().all(|event| event.epoch == epoch), "{events:#?}");
    }
    boot(victims);
    view::settled(&all);
    assert!(took < LATE, "{took:?}");
}
