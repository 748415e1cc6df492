//! What the rest of the daemon has the master write.

use super::Engine;
use crate::core::command::Command;
use crate::core::{NodeId, Time};

/// Why this node doesn't take an entry to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Another node is the master.
    #[error("node {0} is the master: ask it")]
    MasterIs(NodeId),
    /// Nobody is, as far as this node knows.
    #[error("nobody is the master at the moment: ask again")]
    NoMaster,
    /// The master writes such entries when they are due, and nobody else may.
    #[error("\"{0}\" is the master's to write")]
    Masters(String),
}

impl Engine {
    /// An entry that somebody wants written, as it is to be written: it may tell a
    /// subsystem something, forget a node, put nodes out, or name a witness or none. For nodes that are put out a
    /// new probe key is drawn, whatever the entry says.
    ///
    /// # Errors
    /// This node doesn't write it.
    pub fn entry(&mut self, now: Time, mut command: Command) -> Result<Command, NotTaken> {
        if !self.is_master(now) {
            let master = self.view().master.map(|master| master.node);
            let other = master.filter(|node| self.id != Some(*node));
            return Err(other.map_or(NotTaken::NoMaster, NotTaken::MasterIs));
        }
        match &mut command {
            Command::Tell { .. } | Command::Forget { .. } | Command::Witness { .. } => {}
            Command::Remove { probe_key, .. } => {
                *probe_key = [(self.entropy)(), (self.entropy)()];
            }
            _ => return Err(NotTaken::Masters(command.to_string())),
        }
        Ok(command)
    }

    /// Something makes a node look dead, a connection to it that was reset most likely: it
    /// is probed at once.
    pub fn suspect(&mut self, now: Time, id: NodeId) {
        self.prober.look(now, id);
    }
}
