//! What the trees look like: labels, and which branches look alike.

use std::collections::HashMap;

use ssi_api::process::{Cpid, ProcessView};

use super::forest::{Forest, Trees};
use crate::output;
use crate::process::user;

/// What labels say.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are options")]
pub(super) struct Style {
    pub(super) pids: bool,
    pub(super) users: bool,
    pub(super) args: bool,
    pub(super) by_number: bool,
    pub(super) compact: bool,
}

/// A branch, and how often it is there.
pub(super) type Times = (usize, usize);

/// Something to be drawn: branches that look alike are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Branch {
    pub(super) label: String,
    pub(super) children: Vec<Times>,
}

/// All branches; the last is the trunk.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) branches: Vec<Branch>,
    known: HashMap<Branch, usize>,
}

impl Picture {
    fn branch(&mut self, label: String, children: Vec<Times>) -> usize {
        let branch = Branch { label, children };
        if let Some(at) = self.known.get(&branch) {
            return *at;
        }
        let at = self.branches.len();
        self.known.insert(branch.clone(), at);
        self.branches.push(branch);
        at
    }
}

/// The cluster `name` with its nodes with their processes.
pub(super) fn label(forest: &Forest<'_>, name: &str, style: Style) -> Picture {
    let mut picture = Picture::default();
    let mut trunk = Vec::new();
    for trees in &forest.nodes {
        let roots = grow(&mut picture, trees, style);
        let node = trees.node;
        match node.number {
            // The machine itself is the trunk.
            0 => trunk.extend(roots),
            number => {
                let label = output::plain(&format!("{number} {}", node.name));
                trunk.push((picture.branch(label, roots), 1));
            }
        }
    }
    // It has to be the last, even if something looks like it.
    picture.branches.push(Branch {
        label: output::plain(name),
        children: trunk,
    });
    picture
}

/// The trees of a node.
fn grow(picture: &mut Picture, trees: &Trees<'_>, style: Style) -> Vec<Times> {
    let children = trees.children();
    let order = |places: &[usize]| {
        let mut places = places.to_vec();
        let pid = |at: usize| trees.processes[at].pid;
        if style.by_number {
            places.sort_by_key(|at| pid(*at));
        } else {
            let name = |at: usize| &trees.processes[at].comm;
            places.sort_by(|a, b| name(*a).cmp(name(*b)).then(pid(*a).cmp(&pid(*b))));
        }
        places
    };
    let mut branches = vec![0; trees.processes.len()];
    // Children come after their parents, so that they are done first here.
    for at in (0..trees.processes.len()).rev() {
        let below = alike(
            order(&children[at]).iter().map(|child| branches[*child]),
            style,
        );
        let parent = trees.parents[at].map(|parent| trees.processes[parent]);
        let text = text(trees, trees.processes[at], parent, style);
        branches[at] = picture.branch(text, below);
    }
    alike(
        order(&trees.roots).iter().map(|root| branches[*root]),
        style,
    )
}

/// Counts those that look alike; their order is that of the first of each.
fn alike(branches: impl Iterator<Item = usize>, style: Style) -> Vec<Times> {
    let mut times: Vec<Times> = Vec::new();
    let mut places = HashMap::new();
    for branch in branches {
        if style.compact
            && let Some(at) = places.get(&branch)
        {
            let (_, count): &mut Times = &mut times[*at];
            *count += 1;
        } else {
            places.insert(branch, times.len());
            times.push((branch, 1));
        }
    }
    times
}

fn text(
    trees: &Trees<'_>,
    process: &ProcessView,
    parent: Option<&ProcessView>,
    style: Style,
) -> String {
    let mut beside = Vec::new();
    if style.pids {
        let cpid = Cpid::new(trees.node.number, process.pid);
        beside.push(cpid.map_or_else(|| process.pid.to_string(), |cpid| cpid.to_string()));
    }
    // Nobody is told of the first of all, as in pstree, unless it is not root's.
    let before = parent.map_or(0, |parent| parent.uid);
    if style.users && before != process.uid {
        beside.push(user::name(process.uid));
    }
    let mut text = process.comm.clone();
    if !beside.is_empty() {
        text.push_str(&format!("({})", beside.join(",")));
    }
    if style.args {
        for arg in process.args.iter().skip(1) {
            text.push(' ');
            text.push_str(arg);
        }
    }
    output::plain(&text)
}
