//! Who a node is.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A node's number, counting from 1. A cluster says how many there can be
/// ([`View::max_nodes`](super::View::max_nodes)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(NonZeroU16);

/// Nodes a cluster can have unless it was founded for another number: nine bits of a
/// clusterwide process number, and none is 0.
pub const MAX_NODES: u16 = 511;

impl Number {
    /// The number, if it is one.
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

    /// Every number up to `max`, in order.
    pub fn up_to(max: u16) -> impl Iterator<Item = Self> {
        (1..=max).filter_map(Self::new)
    }
}

/// What was given is no node number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no node number: 1, 2, 3 … are")]
pub struct NotANumber(String);

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let number: Option<u16> = text.parse().ok();
        number
            .and_then(Self::new)
            .ok_or_else(|| NotANumber(text.to_owned()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One life of a node: its number, and how many times that number has joined. What comes
/// from an earlier life is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId {
    /// The node's number.
    pub number: Number,
    /// 1 for its first life.
    pub incarnation: u32,
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.number, self.incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_number() {
        assert_eq!(Number::new(0), None);
        assert_eq!(Number::up_to(MAX_NODES).count(), 511);
        assert_eq!("511".parse::<Number>().unwrap().get(), 511);
        assert_eq!(
            "0".parse::<Number>().unwrap_err().to_string(),
            "0 is no node number: 1, 2, 3 … are"
        );
        assert!(postcard::from_bytes::<Number>(&[0]).is_err());
    }
}
