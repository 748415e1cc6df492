//! What the types alone cannot say about a configuration.

mod balance;
mod cycle;
mod group;
mod names;
mod place;
mod process;

use super::mistake::Mistake;
use super::source::At;
use super::world::World;
use super::{Config, Group, Process};

/// A configuration that is not yet known to be right.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) processes: Vec<(Process, At)>,
    pub(crate) groups: Vec<(Group, At)>,
}

impl Draft {
    /// Everything that is wrong with it.
    pub(crate) fn mistakes(&self, world: &dyn World) -> Vec<Mistake> {
        let mut found = names::mistakes(self);
        for (process, at) in &self.processes {
            let mut wrong = |field: &str, message| found.push(at.mistake(field, message));
            process::check(process, world, &mut wrong);
            balance::check(process, world, &mut wrong);
            let pinned = process.pinned;
            let moves = place::Moves {
                reject: &process.reject,
                // A group's members move with it.
                overlap: process.overlap && !self.is_member(&process.name),
            };
            place::check(&process.place(), pinned, moves, world, &mut wrong);
        }
        for (group, at) in &self.groups {
            let mut wrong = |field: &str, message| found.push(at.mistake(field, message));
            let moves = place::Moves::default();
            place::check(&group.place(), group.pinned, moves, world, &mut wrong);
        }
        found.extend(balance::mistakes(self));
        found.extend(group::mistakes(self));
        found.extend(cycle::mistakes(self));
        found
    }

    fn is_member(&self, process: &str) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|(group, _)| group.members.iter().any(|member| member == process))
    }

    /// The configuration itself.
    pub(crate) fn config(self) -> Config {
        Config {
            process: self.processes.into_iter().map(|(p, _)| p).collect(),
            group: self.groups.into_iter().map(|(g, _)| g).collect(),
        }
    }
}
