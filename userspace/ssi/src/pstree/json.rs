//! The trees for programs: a list in their order, with depths, which no parser's limit of
//! nesting minds.

use serde::Serialize;
use ssi_api::process::{Cpid, Missing};

use super::forest::Forest;
use crate::output;

/// A process.
#[derive(Serialize)]
struct Row<'a> {
    /// 0: a tree begins with it.
    depth: usize,
    cpid: Option<Cpid>,
    node: u16,
    pid: u32,
    ppid: u32,
    uid: u32,
    comm: &'a str,
    args: &'a [String],
}

/// One object: the processes, parents before their children, and the nodes that are missing.
pub(super) fn text(forest: &Forest<'_>, missing: &[Missing]) -> String {
    let mut rows = Vec::new();
    for trees in &forest.nodes {
        let children = trees.children();
        let mut todo: Vec<_> = trees.roots.iter().rev().map(|root| (*root, 0)).collect();
        while let Some((at, depth)) = todo.pop() {
            let process = trees.processes[at];
            rows.push(Row {
                depth,
                cpid: Cpid::new(trees.node.number, process.pid),
                node: trees.node.number,
                pid: process.pid,
                ppid: process.ppid,
                uid: process.uid,
                comm: &process.comm,
                args: &process.args,
            });
            todo.extend(children[at].iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    output::json(&[("processes", &rows), ("missing", &missing)])
}
