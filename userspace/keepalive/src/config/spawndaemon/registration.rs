//! The options that go with `-r` and `-R`, and what they make of a configuration.

use super::super::{Backup, Config, Favoured, Selection};
use super::Usage;
use crate::node::Node;

/// Where instances are counted (`-i`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// So many in the whole cluster, also if the file says each node.
    ClusterWide,
    /// So many on each of these nodes. With `-F` it runs on these only; and if it is said how
    /// another node is found (`-Z`, `-c reject=`), as many move between them.
    Nodes(Vec<Node>),
}

/// What is said about what is registered, besides its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// `-i`: where instances are counted.
    pub scope: Option<Scope>,
    /// `-n`: how many instances.
    pub times: Option<u32>,
    /// `-F`: the favoured node.
    pub favoured: Option<Node>,
    /// `-B`: the backup nodes, in their order.
    pub backups: Vec<Node>,
    /// `-U`: it belongs to no node.
    pub floating: bool,
    /// `-Z`: which node, when it has to be another.
    pub selection: Option<Selection>,
    /// `-o`.
    pub o: bool,
    /// `-a`: its arguments tell it from others of the same program. Its name does here.
    pub match_args: bool,
    /// `-c down=`: exit codes that mean "don't restart me".
    pub down: Vec<u8>,
    /// `-c reject=`: exit codes that mean "not on this node".
    pub reject: Vec<u8>,
}

impl Registration {
    /// Puts these options into what a file says. It has either processes or groups.
    ///
    /// # Errors
    /// The file has neither, or has groups and an option is for processes only.
    pub fn onto(&self, config: &mut Config) -> Result<(), Usage> {
        if config.group.is_empty() {
            if config.process.is_empty() {
                return Err(Usage("the file has no [[process]] and no [[group]]".into()));
            }
            self.onto_processes(config);
            return Ok(());
        }
        let alone = config.process.iter();
        let mut alone = alone.filter(|process| config.group_of(&process.name).is_none());
        if let Some(process) = alone.next() {
            let name = &process.name;
            return Err(Usage(format!(
                "the file has groups, and \"{name}\", which is in none: register it by itself"
            )));
        }
        for (given, option) in [
            (self.times.is_some(), "-n"),
            (self.match_args, "-a"),
            (!self.down.is_empty() || !self.reject.is_empty(), "-c"),
        ] {
            if given {
                let message = format!("{option} is for processes, and the file has groups");
                return Err(Usage(message));
            }
        }
        for group in &mut config.group {
            self.place(
                &mut group.favoured,
                &mut group.backup,
                &mut group.nodes,
                &mut group.restart_on,
            );
        }
        Ok(())
    }

    fn onto_processes(&self, config: &mut Config) {
        for process in &mut config.process {
            self.place(
                &mut process.favoured,
                &mut process.backup,
                &mut process.nodes,
                &mut process.restart_on,
            );
            process.instances = self.times.unwrap_or(process.instances);
            if let Some(nodes) = self.moves_between() {
                let each = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                process.instances = process.instances.saturating_mul(each);
            }
            process.down.extend(&self.down);
            process.reject.extend(&self.reject);
        }
    }

    /// The nodes that so many of it are counted on, if it may move between them.
    fn moves_between(&self) -> Option<&[Node]> {
        let moves = self.selection.is_some() || !self.reject.is_empty();
        match &self.scope {
            Some(Scope::Nodes(nodes)) if self.favoured.is_none() && moves => Some(nodes),
            _ => None,
        }
    }

    fn place(
        &self,
        favoured: &mut Favoured,
        backup: &mut Backup,
        nodes: &mut Vec<Node>,
        selection: &mut Option<Selection>,
    ) {
        if let Some(node) = self.favoured {
            *favoured = Favoured::Node(node);
            *backup = Backup::Nodes(self.backups.clone());
        }
        if self.floating {
            *favoured = Favoured::Any;
            *backup = Backup::default();
        }
        if let Some(Scope::Nodes(list)) = &self.scope {
            nodes.clone_from(list);
            if self.favoured.is_none() {
                *favoured = match self.moves_between() {
                    Some(_) => Favoured::Any,
                    None => Favoured::All,
                };
                *backup = Backup::default();
            }
        }
        if self.scope == Some(Scope::ClusterWide) && *favoured == Favoured::All {
            *favoured = Favoured::Any;
        }
        *selection = self.selection.or(*selection);
    }
}
