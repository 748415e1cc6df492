use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a node is in its coming and going: the states of the original CLMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NodeState {
    /// It has never been a member.
    NeverUp,
    /// It is being taken in.
    ComingUp,
    /// It takes part.
    Up,
    /// It is leaving, and gives back what it owns.
    Shutdown,
    /// It has given everything back.
    GoingDown,
    /// It is out; kernels shut it out.
    KCleanup,
    /// It is out; subsystems clean up after it.
    UCleanup,
    /// It is out, and nothing of it is left.
    Down,
}

impl NodeState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::NeverUp,
        Self::ComingUp,
        Self::Up,
        Self::Shutdown,
        Self::GoingDown,
        Self::KCleanup,
        Self::UCleanup,
        Self::Down,
    ];
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NeverUp => "NEVERUP",
            Self::ComingUp => "COMINGUP",
            Self::Up => "UP",
            Self::Shutdown => "SHUTDOWN",
            Self::GoingDown => "GOINGDOWN",
            Self::KCleanup => "KCLEANUP",
            Self::UCleanup => "UCLEANUP",
            Self::Down => "DOWN",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_people_read_the_same_words() {
        for state in NodeState::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
    }
}
