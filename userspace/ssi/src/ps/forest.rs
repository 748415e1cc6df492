//! Processes as trees: who was forked by whom below whom, one tree or more for each node.

use std::collections::{HashMap, HashSet};

use super::column::Line;

/// How trees are shown, before the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Art {
    /// Farther to the right (`-H`).
    Indented,
    /// With lines (`--forest`, `f`).
    Drawn,
}

/// The lines in the order of the trees, those of the same parent as they were, each with what is
/// before its command.
///
/// Whose parent isn't shown begins a tree, and whose parent is younger: that one only has the
/// parent's number.
pub(super) fn grow<'a>(lines: &[Line<'a>], art: Art) -> Vec<(Line<'a>, String)> {
    let known: HashMap<(u16, u32), usize> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| ((line.node.number, line.process.pid), at))
        .collect();
    let parent = |line: &Line<'_>| {
        let at = *known.get(&(line.node.number, line.process.ppid))?;
        (lines[at].process.start <= line.process.start).then_some(at)
    };
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    let mut roots = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match parent(line) {
            Some(parent) if parent != at => children[parent].push(at),
            _ => roots.push(at),
        }
    }
    let mut grown = Vec::with_capacity(lines.len());
    let mut seen = HashSet::new();
    // In a circle, which no kernel has, nobody is a root: whoever is left over becomes one.
    for root in roots.into_iter().chain(0..lines.len()) {
        // Chains of processes may be longer than the thread's stack would bear.
        let mut todo = vec![(root, String::new(), String::new())];
        while let Some((at, before, below)) = todo.pop() {
            if !seen.insert(at) {
                continue;
            }
            let count = children[at].len();
            for (nth, child) in children[at].iter().enumerate().rev() {
                let (joint, past) = art.level(nth + 1 == count);
                todo.push((*child, format!("{below}{joint}"), format!("{below}{past}")));
            }
            grown.push((lines[at], before));
        }
    }
    grown
}

impl Art {
    /// What a level adds before a child, and before what is below it.
    const fn level(self, last: bool) -> (&'static str, &'static str) {
        match (self, last) {
            (Self::Indented, _) => ("  ", "  "),
            (Self::Drawn, true) => (" \\_ ", "    "),
            (Self::Drawn, false) => (" \\_ ", " |  "),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ssi_api::process::{NodeProcesses, ProcessView};

    use super::*;
    use crate::process::testing::node;

    fn process(pid: u32, ppid: u32, start: u64) -> ProcessView {
        ProcessView {
            pid,
            ppid,
            start,
            ..ProcessView::default()
        }
    }

    fn lines(nodes: &[NodeProcesses]) -> Vec<Line<'_>> {
        let lines = nodes.iter().flat_map(|node| {
            node.said.processes.iter().map(move |process| Line {
                node,
                process,
                short_times: false,
                before: "",
            })
        });
        lines.collect()
    }

    #[test]
    fn each_is_below_its_parent() {
        let nodes = [
            node(1, 0, vec![process(1, 0, 0), process(5, 1, 2)]),
            node(
                2,
                0,
                vec![
                    process(1, 0, 0),
                    process(3, 1, 2),
                    process(4, 3, 3),
                    // Forked before the 3 of now.
                    process(6, 3, 1),
                    process(7, 1, 4),
                ],
            ),
        ];
        let shown = |art| {
            let grown = grow(&lines(&nodes), art);
            let grown = grown
                .iter()
                .map(|(line, before)| format!("{before}{}/{}", line.node.number, line.process.pid));
            grown.collect::<Vec<_>>()
        };
        assert_eq!(
            shown(Art::Drawn),
            [
                "1/1",
                " \\_ 1/5",
                "2/1",
                " \\_ 2/3",
                " |   \\_ 2/4",
                " \\_ 2/7",
                "2/6"
            ]
        );
        assert_eq!(
            shown(Art::Indented),
            ["1/1", "  1/5", "2/1", "  2/3", "    2/4", "  2/7", "2/6"]
        );
    }

    proptest! {
        #[test]
        fn everybody_is_there_once(
            processes in prop::collection::vec((0_u32..20, 0_u64..3), 0..20)
        ) {
            let processes = processes.into_iter().zip(1..);
            let processes = processes.map(|((ppid, start), pid)| process(pid, ppid, start));
            let nodes = [node(1, 0, processes.collect())];
            let lines = lines(&nodes);
            let mut pids: Vec<_> = grow(&lines, Art::Drawn)
                .iter()
                .map(|(line, _)| line.process.pid)
                .collect();
            pids.sort_unstable();
            let all: Vec<_> = lines.iter().map(|line| line.process.pid).collect();
            prop_assert_eq!(pids, all);
        }
    }
}
