//! Groups: that their members are there, and belong to one only.

use std::collections::HashMap;

use super::super::mistake::Mistake;
use super::super::place::Place;
use super::super::suggest;
use super::Draft;

/// What is wrong with groups.
pub(super) fn mistakes(draft: &Draft) -> Vec<Mistake> {
    let names = || draft.processes.iter().map(|(p, _)| p.name.as_str());
    let mut found = Vec::new();
    let mut owner: HashMap<&str, &str> = HashMap::new();
    for (group, at) in &draft.groups {
        let name = &group.name;
        if group.members.is_empty() {
            found.push(at.mistake("members", format!("group \"{name}\" has no members")));
        }
        for member in &group.members {
            if !names().any(|known| known == member) {
                let hint = suggest::hint(member, names());
                let message = format!("members: there is no process \"{member}\"{hint}");
                found.push(at.mistake("members", message));
            }
            if let Some(other) = owner.insert(member, name) {
                let message = format!("\"{member}\" is a member of \"{other}\" already");
                found.push(at.mistake("members", message));
            }
        }
        for critical in &group.critical {
            if !group.members.contains(critical) {
                let members = group.members.iter().map(String::as_str);
                let hint = suggest::hint(critical, members);
                let message = format!("critical: \"{critical}\" is no member{hint}");
                found.push(at.mistake("critical", message));
            }
        }
    }
    // A group is in one place.
    for (process, at) in &draft.processes {
        let Some(group) = owner.get(process.name.as_str()) else {
            continue;
        };
        let name = &process.name;
        if process.place() != Place::default() || process.pinned.is_some() {
            let message =
                format!("\"{name}\" runs where its group \"{group}\" runs; say it there, not here");
            found.push(at.mistake("favoured", message));
        }
        if process.instances > 1 {
            let message = format!("\"{name}\" is a member of \"{group}\": one instance of it runs");
            found.push(at.mistake("instances", message));
        }
    }
    found
}
