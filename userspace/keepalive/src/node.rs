//! Which node.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A node's number, counting from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Node(NonZeroU16);

impl Node {
    /// The node of this number, if it is one.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// As an integer.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

/// What was given is no node number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no node number: 1, 2, 3 … are")]
pub struct NotANode(String);

impl FromStr for Node {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<Self, NotANode> {
        let number: Option<u16> = text.parse().ok();
        number
            .and_then(Self::new)
            .ok_or_else(|| NotANode(text.to_owned()))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
