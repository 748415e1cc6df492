//! Processes that wait for each other, and so for ever.

use std::collections::{BTreeSet, HashMap};

use super::super::mistake::Mistake;
use super::Draft;

/// One mistake for each cycle, at the process of it that stands first in the files.
pub(super) fn mistakes(draft: &Draft) -> Vec<Mistake> {
    let numbers: HashMap<&str, usize> = (draft.processes.iter().enumerate())
        .map(|(n, (process, _))| (process.name.as_str(), n))
        .collect();
    let after: Vec<Vec<usize>> = (draft.processes.iter())
        .map(|(process, _)| {
            let after = process.after.iter().filter(|name| **name != process.name);
            let after = after.filter_map(|name| numbers.get(name.as_str()));
            after.copied().collect()
        })
        .collect();
    let mut done = vec![false; after.len()];
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..after.len() {
        let Some(cycle) = walk(start, &after, &mut done) else {
            continue;
        };
        let members: BTreeSet<usize> = cycle.iter().copied().collect();
        if !known.insert(members) {
            continue;
        }
        let first = cycle.iter().copied().min().unwrap_or(start);
        let turn = cycle.iter().position(|&n| n == first).unwrap_or(0);
        let names = (cycle[turn..].iter().chain(&cycle[..=turn]))
            .map(|&n| draft.processes[n].0.name.as_str());
        let names: Vec<&str> = names.collect();
        let message = format!("a cycle: {}", names.join(" after "));
        found.push(draft.processes[first].1.mistake("after", message));
    }
    found
}

/// The first cycle met on a walk from `start`, depth first, without recursion: a hostile
/// file may have a chain of any length.
fn walk(start: usize, after: &[Vec<usize>], done: &mut [bool]) -> Option<Vec<usize>> {
    if done[start] {
        return None;
    }
    let mut path = vec![(start, 0)];
    let mut on_path = BTreeSet::from([start]);
    while let Some((node, next)) = path.last_mut() {
        let Some(&to) = after[*node].get(*next) else {
            done[*node] = true;
            on_path.remove(node);
            path.pop();
            continue;
        };
        *next += 1;
        if on_path.contains(&to) {
            let from = path.iter().position(|(n, _)| *n == to).unwrap_or(0);
            let cycle = path[from..].iter().map(|(n, _)| *n).collect();
            for (n, _) in path {
                done[n] = true;
            }
            return Some(cycle);
        }
        if !done[to] {
            path.push((to, 0));
            on_path.insert(to);
        }
    }
    None
}
