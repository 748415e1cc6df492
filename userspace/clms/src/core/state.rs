//! The states of a node, as the original had them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a node is in its coming and going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Known by name, has never joined.
    NeverUp,
    /// Joining: the subsystems of all nodes are taking it in.
    ComingUp,
    /// A member like any other.
    Up,
    /// Leaving on its own wish: it gives back what it holds.
    Shutdown,
    /// It has given everything back and is about to go.
    GoingDown,
    /// Gone: the nodes that stay are shutting it out of their kernels.
    KCleanup,
    /// Shut out everywhere: the subsystems are cleaning up after it.
    UCleanup,
    /// Gone, and nothing of it is left.
    Down,
}

impl State {
    /// It takes part: it is observed, holds a lease, and gets the view.
    #[must_use]
    pub const fn is_member(self) -> bool {
        matches!(
            self,
            Self::ComingUp | Self::Up | Self::Shutdown | Self::GoingDown
        )
    }

    /// It is being cleaned up after.
    #[must_use]
    pub const fn is_cleanup(self) -> bool {
        matches!(self, Self::KCleanup | Self::UCleanup)
    }

    /// Whether a node can go from this state to `next` in one step.
    #[must_use]
    pub const fn leads_to(self, next: Self) -> bool {
        use State::{ComingUp, Down, GoingDown, KCleanup, NeverUp, Shutdown, UCleanup, Up};
        matches!(
            (self, next),
            (NeverUp | Down, ComingUp)
                | (ComingUp, Up)
                | (Up | ComingUp, Shutdown)
                | (Shutdown, GoingDown)
                | (ComingUp | Up | Shutdown | GoingDown, KCleanup)
                | (KCleanup, UCleanup)
                | (UCleanup, Down)
        )
    }

    /// The name that users know.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverUp => "NEVERUP",
            Self::ComingUp => "COMINGUP",
            Self::Up => "UP",
            Self::Shutdown => "SHUTDOWN",
            Self::GoingDown => "GOINGDOWN",
            Self::KCleanup => "KCLEANUP",
            Self::UCleanup => "UCLEANUP",
            Self::Down => "DOWN",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
