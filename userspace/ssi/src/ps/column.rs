//! What a column is.

use std::cmp::Ordering;

use ssi_api::process::{Cpid, NodeProcesses, ProcessView};

/// One process, and what it is shown with.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its node; number 0: the machine is in no cluster.
    pub(super) node: &'a NodeProcesses,
    pub(super) process: &'a ProcessView,
    /// Times as BSD writes them.
    pub(super) short_times: bool,
    /// What is before the command: its place in a tree.
    pub(super) before: &'a str,
}

impl Line<'_> {
    /// The clusterwide number of a process of its node; none in no cluster, or of nobody.
    pub(super) fn cpid(self, pid: u32) -> Option<Cpid> {
        Cpid::new(self.node.number, pid)
    }
}

/// What a column has of a process.
pub(super) enum Value {
    Number(f64),
    Text(String),
}

impl Value {
    /// Which of two comes first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// A column.
pub(super) struct Column {
    /// The first is its own, the others mean the same.
    pub(super) names: &'static [&'static str],
    pub(super) header: &'static str,
    pub(super) right: bool,
    /// What it sorts by.
    pub(super) value: fn(Line<'_>) -> Value,
    /// What it shows; `None`: the value as it is.
    pub(super) text: Option<fn(Line<'_>) -> String>,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.names[0])
    }
}

impl Column {
    /// What it shows of a process.
    pub(super) fn show(&self, line: Line<'_>) -> String {
        if let Some(text) = self.text {
            return text(line);
        }
        match (self.value)(line) {
            Value::Number(number) => format!("{number}"),
            Value::Text(text) => text,
        }
    }
}
