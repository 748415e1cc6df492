//! Processes for programs.

use std::io;

use serde::Serialize;
use serde_json::Value;
use ssi_api::process::{ClusterProcesses, Cpid, LoadView, ProcessView};

use super::column::Line;
use crate::output::{self, Each};

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

/// A machine in no cluster. Its fields are in the order of their names.
#[derive(Serialize)]
struct Alone<'a> {
    at: u64,
    booted: u64,
    load: Value,
    memory: u64,
    processes: Each<'a, &'a ProcessView>,
    source: &'a str,
}

/// One object. In a cluster: the nodes, the processes in their order, the nodes that are
/// missing. On a machine in none: that machine.
pub(super) fn print(all: &ClusterProcesses, lines: &[Line<'_>]) -> io::Result<()> {
    if let [alone] = &all.nodes[..]
        && alone.number == 0
    {
        let processes: Vec<_> = lines.iter().map(|line| line.process).collect();
        let said = &alone.said;
        let view = Alone {
            at: said.at,
            booted: said.booted,
            load: serde_json::to_value(said.load).unwrap_or_default(),
            memory: said.memory,
            processes: Each(&processes),
            source: &said.source,
        };
        return output::print_json(&[("node", &view)]);
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
    output::print_json(&[
        ("here", &all.here),
        ("nodes", &Each(&nodes)),
        ("processes", &Each(&processes)),
        ("missing", &Each(&all.missing)),
    ])
}
