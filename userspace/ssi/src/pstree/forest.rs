//! Who is whose child.

use std::collections::HashMap;

use ssi_api::process::{ClusterProcesses, NodeProcesses, ProcessView};

use super::Whom;
use crate::process::choice;

/// The trees of all nodes.
pub(super) struct Forest<'a> {
    pub(super) nodes: Vec<Trees<'a>>,
}

/// The trees of a node.
pub(super) struct Trees<'a> {
    pub(super) node: &'a NodeProcesses,
    /// In order of their starts: parents before their children.
    pub(super) processes: Vec<&'a ProcessView>,
    /// Of each its parent's place.
    pub(super) parents: Vec<Option<usize>>,
    /// Places of those that trees begin with.
    pub(super) roots: Vec<usize>,
}

impl<'a> Forest<'a> {
    /// Those of `whom`, with their descendants.
    pub(super) fn grow(all: &'a ClusterProcesses, whom: &Whom, kernel: bool) -> Self {
        let named = matches!(whom, Whom::Process(_));
        let trees = all.nodes.iter().map(|node| {
            let mut trees = Trees::of(node, kernel || named);
            trees.roots = (0..trees.processes.len())
                .filter(|at| trees.begins(*at, whom, all.here))
                .collect();
            trees
        });
        Self {
            nodes: trees.filter(|trees| !trees.roots.is_empty()).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl<'a> Trees<'a> {
    fn of(node: &'a NodeProcesses, kernel: bool) -> Self {
        let processes = node.said.processes.iter();
        let mut processes: Vec<_> = processes.filter(|p| kernel || !p.kernel).collect();
        processes.sort_by_key(|p| (p.start, p.pid));
        let places: HashMap<u32, usize> = processes
            .iter()
            .enumerate()
            .map(|(at, p)| (p.pid, at))
            .collect();
        // A parent is older. Who seems to be younger has the number of a parent that has gone;
        // so nobody is among their own ancestors.
        let parent = |(at, process): (usize, &&ProcessView)| {
            places
                .get(&process.ppid)
                .copied()
                .filter(|parent| *parent < at)
        };
        let parents = processes.iter().enumerate().map(parent).collect();
        Self {
            node,
            processes,
            parents,
            roots: Vec::new(),
        }
    }

    /// Whether a tree begins with it.
    fn begins(&self, at: usize, whom: &Whom, here: u16) -> bool {
        let parent = self.parents[at].map(|parent| self.processes[parent]);
        let process = self.processes[at];
        match whom {
            Whom::All => parent.is_none(),
            Whom::Process(pid) => choice::is(&[*pid], here, self.node.number, process.pid),
            Whom::User(user) => {
                process.uid == *user && parent.is_none_or(|parent| parent.uid != *user)
            }
        }
    }

    /// The children of each, by place.
    pub(super) fn children(&self) -> Vec<Vec<usize>> {
        let mut children = vec![Vec::new(); self.processes.len()];
        for (at, parent) in self.parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(at);
            }
        }
        children
    }
}
