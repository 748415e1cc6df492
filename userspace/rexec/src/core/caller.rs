//! Who wants a command to be run, as the kernel of that node says; nothing of it is believed
//! of the caller itself.

use serde::{Deserialize, Serialize};

/// A user, with the limits of the process that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// What it may do besides.
    pub capabilities: Capabilities,
    /// Whether it can never gain more (`no_new_privs`).
    pub no_new_privs: bool,
    /// Its resource limits.
    pub limits: Vec<Limit>,
    /// Its umask.
    pub umask: u32,
    /// How nice it is, −20 to 19.
    pub nice: i32,
}

/// Sets of capabilities, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What it may have.
    pub permitted: u64,
    /// What whatever it executes can ever have.
    pub bounding: u64,
    /// What whatever it executes has if its file says so.
    pub inheritable: u64,
}

/// A resource limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Which: `RLIMIT_…`.
    pub resource: u8,
    /// What holds; `u64::MAX`: no limit.
    pub soft: u64,
    /// How far it may be raised.
    pub hard: u64,
}

impl Caller {
    /// The capabilities that a command may end up with: for root those that its caller had,
    /// and what executing a file gives root is bounded by that; for others those that the
    /// bounding set leaves to files.
    #[must_use]
    pub fn bounds(&self) -> u64 {
        let Capabilities {
            permitted,
            bounding,
            ..
        } = self.capabilities;
        if self.uid == 0 {
            permitted & bounding
        } else {
            bounding
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_without_capabilities_is_bounded_by_what_it_has() {
        let mut caller = Caller {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
            capabilities: Capabilities {
                permitted: 0b0110,
                bounding: 0b1100,
                inheritable: 0,
            },
            no_new_privs: false,
            limits: Vec::new(),
            umask: 0o22,
            nice: 0,
        };
        assert_eq!(caller.bounds(), 0b0100);
        caller.uid = 1000;
        assert_eq!(caller.bounds(), 0b1100);
    }
}
