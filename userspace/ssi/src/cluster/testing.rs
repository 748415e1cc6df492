//! A cluster to print: four nodes, one of them gone, one stalled, and a witness.

use ssi_api::cluster::{ClusterView, Event, MemberView, NodeState, ResourceView, WitnessView};

/// When it is looked at.
pub(crate) const NOW: u64 = 1_000_007_200;

/// One of its nodes.
pub(crate) fn node(number: u16) -> MemberView {
    MemberView {
        number,
        name: format!("blue{number}"),
        incarnation: 1,
        state: NodeState::Up,
        epoch: u64::from(number),
        since: Some(NOW - 7_200),
        why: None,
        addresses: vec![
            format!("10.77.0.{number}").parse().unwrap(),
            format!("fd77::{number}").parse().unwrap(),
        ],
        kernel: "6.18.44".to_owned(),
        cpus: 2,
        memory: 4 << 30,
        version: "0.1.0".to_owned(),
        potential_master: number <= 2,
        fingerprint: format!("{number:02x}").repeat(32),
        stalled: None,
    }
}

/// As its second node sees it.
pub(crate) fn view() -> ClusterView {
    let mut nodes: Vec<_> = (1..=4).map(node).collect();
    nodes[1].since = Some(NOW - 3_600);
    nodes[2].since = None;
    nodes[2].stalled = Some(12);
    nodes[3].state = NodeState::Down;
    nodes[3].epoch = 12;
    nodes[3].since = Some(NOW - 40);
    nodes[3].incarnation = 2;
    nodes[3].why = Some("3 of 3 observers got no answer".to_owned());
    ClusterView {
        name: "blue".to_owned(),
        identity: "00c0ffee00c0ffee".to_owned(),
        node: 2,
        incarnation: Some(1),
        max_nodes: Some(511),
        epoch: 12,
        master: Some(1),
        voters: vec![1, 2],
        witness: Some(WitnessView {
            address: "10.9.9.9:7118".parse().unwrap(),
        }),
        fenced: false,
        waits_for: None,
        waiting: Vec::new(),
        nodes,
        resources: vec![
            ResourceView {
                name: "cvip 10.88.0.100".to_owned(),
                owner: Some(2),
                epoch: 12,
            },
            ResourceView {
                name: "cvip 10.88.0.101".to_owned(),
                owner: None,
                epoch: 11,
            },
        ],
    }
}

/// Its last transitions.
pub(crate) fn history() -> Vec<Event> {
    let event = |epoch, ago, from, to, why: Option<&str>| Event {
        epoch,
        at: NOW - ago,
        node: 4,
        incarnation: 2,
        from,
        to,
        why: why.map(str::to_owned),
    };
    let why = Some("3 of 3 observers got no answer");
    vec![
        event(10, 41, NodeState::Up, NodeState::KCleanup, why),
        event(11, 40, NodeState::KCleanup, NodeState::UCleanup, why),
        event(12, 40, NodeState::UCleanup, NodeState::Down, why),
    ]
}
