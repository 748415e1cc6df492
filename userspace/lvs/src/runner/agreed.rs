//! The scheduler as one of a cluster's: it does what all agreed on, entry by entry.

use ssi_api::lvs::Command;
use tracing::{info, warn};

use super::error::LvsError;
use super::lvs::Lvs;
use super::reach;
use crate::core::{Agreed, Refused, Step, Unusable};

impl Lvs {
    /// Whether a list of commands could be carried out as things are, on this node: a word
    /// to the user before it is told to all nodes. All may decide otherwise when its turn
    /// comes in the log.
    ///
    /// # Errors
    /// Why not, and because of which command; also when only this node can't reach a new
    /// server, or has no room.
    pub fn check(&self, commands: &[Command]) -> Result<(), Refused> {
        reach::check(commands)?;
        self.model.check(commands)
    }

    /// Takes in the next entry of the agreed log: who is absent, and what was told. The
    /// answers are the same on all nodes, one for each list; none at all if it was taken
    /// in before.
    ///
    /// # Errors
    /// The maps can't be written. [`LvsError::Unsaved`] never comes: it is logged, and a
    /// restarted node has the entry to take in once more.
    pub fn step(&mut self, step: &Step) -> Result<Vec<Result<(), Refused>>, LvsError> {
        if step.epoch <= self.epoch() {
            return Ok(Vec::new());
        }
        let (writes, answers) = self.model.step(step);
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            info!("at epoch {}, all nodes refuse: {refused}", step.epoch);
        }
        self.make_so(writes).or_else(unsaved)?;
        Ok(answers)
    }

    /// The last entry that was taken in, also before a restart; 0: none, or nothing is
    /// known about it.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.model.epoch()
    }

    /// The key of the flow hash: the cluster's, or this node's own while it is in none.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.model.seed()
    }

    /// All that nodes agree on at [`Lvs::epoch`], for a node that missed some of it.
    ///
    /// # Errors
    /// None that is known of.
    pub fn export(&self) -> Result<Vec<u8>, LvsError> {
        Ok(self.model.export().write().map_err(Unusable::from)?)
    }

    /// Takes over what [`Lvs::export`] gave on another node, instead of the entries up to
    /// its epoch. Only what differs is written, and packets go on being scheduled. What a
    /// node had by itself before it came into a cluster is kept as `lvs.json.alone`.
    ///
    /// # Errors
    /// It is damaged, or older than what this node has: nothing changed. Or the maps can't
    /// be written.
    pub fn import(&mut self, bytes: &[u8]) -> Result<(), LvsError> {
        let agreed = Agreed::read(bytes)?;
        let own = self.model.export();
        if own.epoch == 0 && own.services != agreed.services && !own.services.is_empty() {
            match self.store.keep("json.alone") {
                Ok(Some(copy)) => info!(
                    "the cluster's virtual services take the place of this node's own, which are kept as {}",
                    copy.display()
                ),
                Ok(None) => {}
                Err(error) => warn!("{error}"),
            }
        }
        let writes = self.model.import(&agreed)?;
        self.make_so(writes).or_else(unsaved)
    }

    /// This node has left its cluster: what it has is its own from here on, and
    /// [`Lvs::apply`] changes it.
    ///
    /// # Errors
    /// The maps can't be written.
    pub fn part(&mut self) -> Result<(), LvsError> {
        let writes = self.model.part();
        self.make_so(writes).or_else(unsaved)
    }
}

fn unsaved(error: LvsError) -> Result<(), LvsError> {
    match error {
        LvsError::Unsaved(error) => {
            warn!("what all nodes agreed on is done, but not saved: {error}");
            Ok(())
        }
        other => Err(other),
    }
}
