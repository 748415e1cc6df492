//! Processes for programs.

use serde::Serialize;
use ssi_api::process::{ClusterProcesses, Cpid, LoadView, ProcessView, ProcessesView};

use super::column::Line;
use crate::output;

/// A node, without its processes.
#[derive(Serialize)]
struct Node<'a> {
    number: u16,
    name: &'a str,
    source: &'a str,
    at: u64,
    booted: u64,
    memory: u64,
    load: Option<LoadView>,
}

/// A process of some node.
#[derive(Serialize)]
struct Process<'a> {
    cpid: Option<Cpid>,
    node: u16,
    #[serde(flatten)]
    process: &'a ProcessView,
}

/// One object. In a cluster: the nodes, the processes in their order, the nodes that are
/// missing. On a machine in none: that machine.
pub(super) fn text(all: &ClusterProcesses, lines: &[Line<'_>]) -> String {
    if let [alone] = &all.nodes[..]
        && alone.number == 0
    {
        let processes = lines.iter().map(|line| line.process.clone()).collect();
        let view = ProcessesView {
            source: alone.said.source.clone(),
            processes,
            ..alone.said
        };
        return output::json(&[("node", &view)]);
    }
    let nodes: Vec<_> = all
        .nodes
        .iter()
        .map(|node| Node {
            number: node.number,
            name: &node.name,
            source: &node.said.source,
            at: node.said.at,
            booted: node.said.booted,
            memory: node.said.memory,
            load: node.said.load,
        })
        .collect();
    let processes: Vec<_> = lines
        .iter()
        .map(|line| Process {
            cpid: line.cpid(line.process.pid),
            node: line.node.number,
            process: line.process,
        })
        .collect();
    output::json(&[
        ("here", &all.here),
        ("nodes", &nodes),
        ("processes", &processes),
        ("missing", &all.missing),
    ])
}
