//! Entries of the view log that are about supervision.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Change;
use crate::core::{Carried, Id};
use crate::node::Node;
use crate::placement::Move;

/// An entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A piece of what a change puts in, which is too long for one entry.
    Part {
        /// Of which change.
        token: u64,
        /// Comes behind the pieces before.
        text: String,
    },
    /// The configuration changes.
    Change(Change),
    /// What runs where changes.
    Moves {
        /// How.
        moves: Vec<Move>,
        /// What the nodes that come after are to know of instances that were released.
        carried: Vec<(Id, Carried)>,
    },
    /// Operators want processes to stand still, or to run.
    Stop {
        /// Which.
        names: Vec<Arc<str>>,
        /// Whether they stand still.
        stopped: bool,
    },
    /// A node is to run nothing, or may again.
    Drain {
        /// Which.
        node: Node,
        /// Whether it is to run nothing.
        drained: bool,
    },
    /// Nothing is started until further notice, or things go on.
    Quiesce(bool),
}

/// These bytes are no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry that this ssid does not know ({0}); are all nodes of the same version?")]
pub struct NoEntry(String);

impl Entry {
    /// As the log has it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Plain data into memory: this doesn't fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// What the log has.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoEntry> {
        postcard::from_bytes(bytes).map_err(|error| NoEntry(error.to_string()))
    }
}

/// Most bytes of text in one entry.
pub const MOST_TEXT: usize = 128 << 10;

/// The entries that a change takes, in their order: parts first, if it is too long for one.
/// `token` tells its parts from those of others.
#[must_use]
pub fn parts(mut change: Change, token: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    if change.put.len() > MOST_TEXT {
        let text = std::mem::take(&mut change.put);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut end = rest.len().min(MOST_TEXT);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (text, after) = rest.split_at(end);
            let text = text.to_owned();
            entries.push(Entry::Part { token, text });
            rest = after;
        }
        change.token = Some(token);
    }
    entries.push(Entry::Change(change));
    entries
}
