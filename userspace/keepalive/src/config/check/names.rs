//! Names: what they may be, and that each stands for one thing.

use std::collections::HashMap;

use super::super::mistake::Mistake;
use super::super::source::At;
use super::super::suggest;
use super::Draft;

/// A name becomes a cgroup, a file and a word on command lines.
const LONGEST: usize = 64;

/// What is wrong with the names of processes and groups, and with those they speak of.
pub(super) fn mistakes(draft: &Draft) -> Vec<Mistake> {
    let processes = draft
        .processes
        .iter()
        .map(|(p, at)| (&p.name, "process", at));
    let groups = draft.groups.iter().map(|(g, at)| (&g.name, "group", at));
    let mut found = Vec::new();
    let mut seen: HashMap<&str, (&str, &At)> = HashMap::new();
    for (name, what, at) in processes.chain(groups) {
        if let Some(wrong) = wrong(name) {
            found.push(at.mistake("name", wrong));
        }
        if let Some((other, first)) = seen.insert(name, (what, at)) {
            let place = first.place();
            let message = format!("{what} \"{name}\": the {other} at {place} is called so too");
            found.push(at.mistake("name", message));
        }
    }
    for (process, at) in &draft.processes {
        let names = || draft.processes.iter().map(|(p, _)| p.name.as_str());
        for after in &process.after {
            let message = if *after == process.name {
                format!("\"{after}\" can't be started after itself")
            } else if !names().any(|name| name == after) {
                let hint = suggest::hint(after, names());
                format!("after: there is no process \"{after}\"{hint}")
            } else {
                continue;
            };
            found.push(at.mistake("after", message));
        }
    }
    found
}

fn wrong(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    if name.is_empty() {
        return Some("a name has a letter or digit at least".to_owned());
    }
    if let Some(odd) = name.chars().find(|&c| !fits(c)) {
        return Some(format!(
            "name {name:?}: letters, digits and _ . @ - can be in it, not {odd:?}"
        ));
    }
    if name.starts_with(['.', '-']) {
        return Some(format!("name \"{name}\" begins with . or -"));
    }
    (name.len() > LONGEST).then(|| format!("name \"{name}\" is longer than {LONGEST} letters"))
}
