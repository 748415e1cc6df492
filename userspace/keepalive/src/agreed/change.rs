//! Changes of the configuration.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Agreed, News};
use crate::config::{Config, World};
use crate::core::Id;
use crate::node::Node;
use crate::placement::{Owner, Slot};

/// A change of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Processes and groups that come, or take the place of those of the same names; as a
    /// file has them.
    pub put: String,
    /// Under which token that was told before, in parts.
    pub token: Option<u64>,
    /// Whether everything else goes.
    pub only: bool,
    /// Processes and groups that go.
    pub remove: Vec<String>,
    /// Whether what runs of those goes on, without supervision.
    pub abandon: bool,
    /// Whether processes that come stand still until an operator starts them.
    pub stopped: bool,
}

/// A world in which everything is there: what a configuration says is looked at, and not
/// whether this machine has it.
#[derive(Clone, Copy, Debug)]
pub struct Any;

impl World for Any {
    fn has_user(&self, _: &str) -> bool {
        true
    }

    fn has_group(&self, _: &str) -> bool {
        true
    }

    fn nodes(&self) -> Vec<Node> {
        Vec::new()
    }

    fn has_node(&self, _: Node) -> bool {
        true
    }

    fn cvips(&self) -> Vec<IpAddr> {
        Vec::new()
    }

    fn has_cvip(&self, _: IpAddr) -> bool {
        true
    }

    fn not_executable(&self, _: &Path) -> Option<String> {
        None
    }

    fn has_directory(&self, _: &Path) -> bool {
        true
    }
}

pub(super) fn read(text: &str, name: &str) -> Result<Config, String> {
    let read = Config::read([(Path::new(name), text)], &Any);
    read.map_err(|mistakes| mistakes.to_string())
}

/// A configuration with others' processes and groups put in, and some taken out.
#[must_use]
pub fn merge(old: &Config, new: &Config, only: bool, remove: &[String]) -> Config {
    let mut merged = if only { Config::default() } else { old.clone() };
    // A group's members go with it.
    let mut gone: BTreeSet<&str> = remove.iter().map(String::as_str).collect();
    let groups = old
        .group
        .iter()
        .filter(|group| remove.contains(&group.name));
    gone.extend(groups.flat_map(|group| group.members.iter().map(String::as_str)));
    merged.process.retain(|p| !gone.contains(p.name.as_str()));
    merged.group.retain(|g| !gone.contains(g.name.as_str()));
    for process in &new.process {
        match merged.process.iter_mut().find(|p| p.name == process.name) {
            Some(old) => old.clone_from(process),
            None => merged.process.push(process.clone()),
        }
    }
    for group in &new.group {
        match merged.group.iter_mut().find(|g| g.name == group.name) {
            Some(old) => old.clone_from(group),
            None => merged.group.push(group.clone()),
        }
    }
    merged
}

impl Agreed {
    pub(super) fn change(&mut self, change: &Change) -> Result<News, String> {
        let told = change.token.and_then(|token| self.waiting.remove(&token));
        if change.token.is_some() && told.is_none() {
            return Err("a part of the change is missing; say it again".to_owned());
        }
        let new = read(told.as_ref().unwrap_or(&change.put), "the change")?;
        let known = |name: &String| {
            let named = self.config.process(name).is_some();
            named || self.config.group.iter().any(|group| group.name == *name)
        };
        if let Some(name) = change.remove.iter().find(|name| !known(name)) {
            return Err(format!("there is no process or group \"{name}\""));
        }
        let merged = merge(&self.config, &new, change.only, &change.remove);
        let text = merged.print().map_err(|error| error.to_string())?;
        // Another change may have come before it.
        let merged = read(&text, "with what others have changed meanwhile")?;
        self.moved(&merged)?;
        let mut news = News {
            configured: true,
            ..News::default()
        };
        self.leave(&merged, change.abandon.then_some(&mut news.abandon));
        let names: BTreeSet<&str> = merged.process.iter().map(|p| p.name.as_str()).collect();
        self.stopped.retain(|name, _| names.contains(&**name));
        if change.stopped {
            for process in &new.process {
                self.stopped.insert(Arc::from(&*process.name), true);
            }
        }
        self.config = Arc::new(merged);
        Ok(news)
    }

    /// What runs as part of a group, or alone, can't become part of another: it would be in
    /// two places, one of which is not free yet.
    fn moved(&self, merged: &Config) -> Result<(), String> {
        for (slot, held) in &self.assignment.slots {
            if held.owner == Owner::Nobody {
                continue;
            }
            let still = |group: &&crate::config::Group| group.name == *slot.name;
            let still = merged.group.iter().find(still);
            for id in self.ids(slot) {
                let group = merged.group_of(&id.process);
                let named = merged.process(&id.process).is_some();
                let same = group.map_or(*slot.name == *id.process, |g| g.name == *slot.name);
                let dropped = !named && still.is_some();
                if dropped || named && !same {
                    let name = &slot.name;
                    return Err(format!(
                        "{} runs as part of {name} and would not any more: `ssi service remove {name}` first",
                        id.process
                    ));
                }
            }
        }
        Ok(())
    }

    /// What the configuration has no more is remembered until nothing of it runs; or is
    /// forgotten, if it goes on by itself.
    fn leave(&mut self, merged: &Config, abandon: Option<&mut BTreeSet<Id>>) {
        let named = |slot: &Slot| {
            let alone = || {
                let process = merged.process(&slot.name);
                process.is_some() && merged.group_of(&slot.name).is_none()
            };
            merged.group.iter().any(|group| *group.name == *slot.name) || alone()
        };
        let gone = self.assignment.slots.keys().filter(|slot| !named(slot));
        let gone: Vec<Slot> = gone.cloned().collect();
        let mut abandon = abandon;
        for slot in gone {
            let ids = self.ids(&slot);
            match &mut abandon {
                Some(abandon) => {
                    abandon.extend(ids);
                    self.assignment.slots.remove(&slot);
                    self.left.remove(&slot);
                }
                None => {
                    self.left.insert(slot, ids);
                }
            }
        }
    }
}
