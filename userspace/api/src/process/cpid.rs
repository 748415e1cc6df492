use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bits of a pid: the kernel's largest `pid_max` is 2^22.
const PID_BITS: u32 = 22;
/// The first number that is no pid.
const PIDS: u32 = 1 << PID_BITS;
/// The largest number of a node: with it, a clusterwide number still is an `i32`, as
/// programs expect of a pid.
const LARGEST_NODE: u16 = 511;

/// A process's number in the whole cluster: its node's number << 22 | its pid there.
///
/// It is written as one number, `8389842`, or as `2/1234`. A pid alone, less than 2^22, is
/// none: it is of whichever node it is said on ([`Pid`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Cpid {
    node: u16,
    pid: u32,
}

/// Why something is no number of a process.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is no number of a process: they are 1234 (on this node), 2/1234 and 8389842")]
pub struct NoPid(String);

impl Cpid {
    /// Of process `pid` of node `node`; none if there can be no such node or pid.
    #[must_use]
    pub const fn new(node: u16, pid: u32) -> Option<Self> {
        if node >= 1 && node <= LARGEST_NODE && pid >= 1 && pid < PIDS {
            Some(Self { node, pid })
        } else {
            None
        }
    }

    /// From one number.
    #[must_use]
    pub const fn of_number(number: u32) -> Option<Self> {
        // Never more than 1,023.
        Self::new((number >> PID_BITS) as u16, number & (PIDS - 1))
    }

    /// As one number.
    #[must_use]
    pub const fn number(self) -> u32 {
        (self.node as u32) << PID_BITS | self.pid
    }

    /// The number of its node.
    #[must_use]
    pub const fn node(self) -> u16 {
        self.node
    }

    /// Its number there.
    #[must_use]
    pub const fn pid(self) -> u32 {
        self.pid
    }
}

impl From<Cpid> for u32 {
    fn from(cpid: Cpid) -> Self {
        cpid.number()
    }
}

impl TryFrom<u32> for Cpid {
    type Error = NoPid;

    fn try_from(number: u32) -> Result<Self, NoPid> {
        Self::of_number(number).ok_or_else(|| NoPid(number.to_string()))
    }
}

impl fmt::Display for Cpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.pid)
    }
}

impl FromStr for Cpid {
    type Err = NoPid;

    fn from_str(text: &str) -> Result<Self, NoPid> {
        match text.parse()? {
            Pid::At(cpid) => Ok(cpid),
            Pid::Here(_) => Err(NoPid(text.to_owned())),
        }
    }
}

/// A process, as people say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pid {
    /// By its pid alone: one of this node.
    Here(u32),
    /// By its number in the cluster, in either notation.
    At(Cpid),
}

impl Pid {
    /// The node, if it was said.
    #[must_use]
    pub const fn node(self) -> Option<u16> {
        match self {
            Self::Here(_) => None,
            Self::At(cpid) => Some(cpid.node()),
        }
    }

    /// The number on that node.
    #[must_use]
    pub const fn pid(self) -> u32 {
        match self {
            Self::Here(pid) => pid,
            Self::At(cpid) => cpid.pid(),
        }
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(pid) => pid.fmt(f),
            Self::At(cpid) => cpid.fmt(f),
        }
    }
}

/// Digits and nothing else: no sign, no space.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    let only = text.bytes().all(|byte| byte.is_ascii_digit());
    only.then(|| text.parse().ok()).flatten()
}

impl FromStr for Pid {
    type Err = NoPid;

    fn from_str(text: &str) -> Result<Self, NoPid> {
        let pid = match text.split_once('/') {
            Some((node, pid)) => digits(node)
                .zip(digits(pid))
                .and_then(|(node, pid)| Cpid::new(node, pid))
                .map(Self::At),
            None => digits(text).and_then(|number: u32| match number {
                1..PIDS => Some(Self::Here(number)),
                _ => Cpid::of_number(number).map(Self::At),
            }),
        };
        pid.ok_or_else(|| NoPid(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cpid() -> impl Strategy<Value = Cpid> {
        (1..=LARGEST_NODE, 1..PIDS).prop_map(|(node, pid)| Cpid::new(node, pid).expect("in range"))
    }

    proptest! {
        #[test]
        fn both_notations_come_back(cpid in cpid()) {
            let number = cpid.number();
            prop_assert!(i32::try_from(number).is_ok());
            prop_assert_eq!(Cpid::of_number(number), Some(cpid));
            prop_assert_eq!(number.to_string().parse(), Ok(Pid::At(cpid)));
            prop_assert_eq!(cpid.to_string().parse(), Ok(Pid::At(cpid)));
            let json = serde_json::to_string(&cpid).expect("a number");
            prop_assert_eq!(&json, &number.to_string());
            prop_assert_eq!(serde_json::from_str::<Cpid>(&json).expect("the same"), cpid);
        }

        #[test]
        fn numbers_are_as_different_as_processes(a in cpid(), b in cpid()) {
            prop_assert_eq!(a.number() == b.number(), a == b);
            prop_assert_eq!(a.number().cmp(&b.number()), a.cmp(&b));
        }

        #[test]
        fn any_number_is_one_of_the_cluster_or_of_this_node_or_none(number: u32) {
            match number.to_string().parse() {
                Ok(Pid::Here(pid)) => prop_assert!(pid == number && (1..PIDS).contains(&pid)),
                Ok(Pid::At(cpid)) => prop_assert_eq!(cpid.number(), number),
                Err(_) => prop_assert_eq!(Cpid::of_number(number), None),
            }
        }

        #[test]
        fn anything_is_taken(text in "[-+0-9/ ]{0,12}") {
            if let Ok(pid) = text.parse::<Pid>() {
                prop_assert_eq!(pid.to_string().parse(), Ok(pid));
            }
        }
    }

    #[test]
    fn the_edges() {
        assert_eq!("2/1234".parse::<Cpid>().map(Cpid::number), Ok(8_389_842));
        assert_eq!(
            Cpid::new(511, PIDS - 1).map(Cpid::number),
            u32::try_from(i32::MAX).ok()
        );
        for none in [
            "",
            "0",
            "/",
            "2/",
            "/7",
            "0/7",
            "512/7",
            "2/0",
            "2/4194304",
            "-7",
            "+7",
            "2/-7",
            "8388608",
            "2147483648",
            "4294967296",
            "1/2/3",
            " 7",
        ] {
            assert!(none.parse::<Pid>().is_err(), "{none:?}");
        }
        assert_eq!("4194303".parse(), Ok(Pid::Here(4_194_303)));
        // It would be pid 0 of node 1.
        assert!("4194304".parse::<Pid>().is_err());
        assert!("7".parse::<Cpid>().is_err());
    }
}
