//! Who a node is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A node's number, 1 to 511: nine bits of a clusterwide process number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Number(u16);

impl Number {
    /// The largest number a node can have.
    pub const MAX: u16 = 511;

    /// The number, if it is one.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 1 && number <= Self::MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// As an integer.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Every number there is, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=Self::MAX).map(Self)
    }
}

/// What was given is no node number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no node number: 1 to {max} are", max = Number::MAX)]
pub struct NotANumber(String);

impl TryFrom<u16> for Number {
    type Error = NotANumber;

    fn try_from(number: u16) -> Result<Self, NotANumber> {
        Self::new(number).ok_or_else(|| NotANumber(number.to_string()))
    }
}

impl From<Number> for u16 {
    fn from(number: Number) -> Self {
        number.0
    }
}

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
    fn numbers_are_nine_bits_and_not_zero() {
        assert_eq!(Number::new(0), None);
        assert_eq!(Number::new(512), None);
        assert_eq!(Number::all().count(), 511);
        assert_eq!("511".parse::<Number>().unwrap().get(), 511);
        assert_eq!(
            "0".parse::<Number>().unwrap_err().to_string(),
            "0 is no node number: 1 to 511 are"
        );
        assert!(postcard::from_bytes::<Number>(&[0]).is_err());
    }
}
