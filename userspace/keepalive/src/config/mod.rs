//! What is to be kept alive: the files under `/etc/ssi/keepalive.d`.
//!
//! A file has `[[process]]` and `[[group]]`. All files are one configuration: it is right
//! as a whole, or nothing of it is applied and every mistake is named with file and line.

mod balance;
mod check;
mod group;
mod limits;
mod mistake;
mod place;
mod process;
mod restart;
mod seconds;
mod size;
mod source;
pub mod spawndaemon;
mod suggest;
mod test;
#[cfg(test)]
mod tests;
mod world;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use balance::{Balance, NoService, VirtualService};
pub use group::Group;
pub use limits::{CgroupLimits, Resource, Rlimit, Rlimits};
pub use mistake::{Mistake, Mistakes};
pub use place::{Backup, Favoured, Place, Selection};
pub use process::Process;
pub use restart::{Backoff, LogFile, StopSignal};
pub use seconds::Span;
pub use size::{Cpus, Size};
pub use test::{Health, Ready, Test};
pub use world::World;

/// Everything that is to be kept alive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The processes.
    pub process: Vec<Process>,
    /// Those that belong together.
    pub group: Vec<Group>,
}

impl Config {
    /// Reads files, given by name and content, as one configuration.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a Path, &'a str)>,
        world: &dyn World,
    ) -> Result<Self, Mistakes> {
        let mut draft = check::Draft::default();
        let mut mistakes = Vec::new();
        for (path, text) in files {
            match source::Source::parse(path, text) {
                Ok(mut source) => {
                    draft.processes.extend(source.tables("process"));
                    draft.groups.extend(source.tables("group"));
                    mistakes.append(&mut source.mistakes);
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        // What refers to a table that can't be read would be called unknown.
        if mistakes.is_empty() {
            mistakes = draft.mistakes(world);
        }
        if mistakes.is_empty() {
            return Ok(draft.config());
        }
        mistakes.sort();
        mistakes.dedup();
        Err(Mistakes(mistakes))
    }

    /// As a file that reads back as the same configuration.
    ///
    /// # Errors
    /// TOML can't hold a number of it (one above 2⁶³).
    pub fn print(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The process of this name.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.process.iter().find(|process| process.name == name)
    }

    /// The group that a process belongs to.
    #[must_use]
    pub fn group_of(&self, process: &str) -> Option<&Group> {
        let mut groups = self.group.iter();
        groups.find(|group| group.members.iter().any(|member| member == process))
    }

    /// Where a process runs: its group's word goes before its own.
    #[must_use]
    pub fn place(&self, process: &Process) -> Place {
        self.group_of(&process.name)
            .map_or_else(|| process.place(), Group::place)
    }
}
