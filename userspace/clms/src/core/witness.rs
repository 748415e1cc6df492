//! A voter that is no node, and breaks the tie of a pair.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::command::Refused;
use super::member::Key;
use super::{Number, View};

/// The number by which the log counts the witness; no node can have it.
pub const NUMBER: u16 = u16::MAX;

/// The largest number that a node can have.
pub const MOST_NODES: u16 = NUMBER - 1;

/// Who the witness is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The public key of its process.
    pub key: Key,
    /// Where it is asked.
    pub addresses: Vec<SocketAddr>,
}

/// The witness in the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seated {
    /// Who it is.
    pub witness: Witness,
    /// Whether it votes: it does while there are two potential masters.
    pub votes: bool,
    /// Whether it is to go, as soon as it does not vote any more.
    pub goes: bool,
}

impl View {
    /// Whether the witness votes about the log.
    #[must_use]
    pub fn witness_votes(&self) -> bool {
        self.witness.as_ref().is_some_and(|seated| seated.votes)
    }

    pub(super) fn set_witness(&mut self, witness: Option<&Witness>) -> Result<(), Refused> {
        match (&mut self.witness, witness) {
            (None, None) => return Err(Refused::Nothing),
            (None, Some(new)) => {
                self.witness = Some(Seated {
                    witness: new.clone(),
                    votes: false,
                    goes: false,
                });
            }
            (Some(old), None) if old.votes => {
                if std::mem::replace(&mut old.goes, true) {
                    return Err(Refused::Nothing);
                }
            }
            (Some(_), None) => self.witness = None,
            (Some(old), Some(new)) => {
                if old.votes && old.witness.key != new.key {
                    return Err(Refused::WitnessVotes);
                }
                if old.witness == *new && !old.goes {
                    return Err(Refused::Nothing);
                }
                new.clone_into(&mut old.witness);
                old.goes = false;
            }
        }
        Ok(())
    }

    pub(super) fn set_voters(
        &mut self,
        voters: &[Number],
        witness: bool,
        next: u64,
    ) -> Result<(), Refused> {
        if self.voters == voters && self.witness_votes() == witness {
            return Err(Refused::Nothing);
        }
        voters.clone_into(&mut self.voters);
        self.voters_since = next;
        if let Some(seated) = &mut self.witness {
            seated.votes = witness;
            if seated.goes && !witness {
                self.witness = None;
            }
        }
        Ok(())
    }
}
