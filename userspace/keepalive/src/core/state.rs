//! The states of a process, as the original had them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is being started, or waits for what must be ready first.
    Start,
    /// It runs, and is ready.
    Ok,
    /// It failed; what is left of it is being killed.
    Dead,
    /// It failed and is being started again, at once or after a pause.
    Respawn,
    /// It failed too often, or said that it is not to be restarted.
    Down,
    /// It is being ended, or has been, because somebody wanted it so.
    Shutdown,
    /// It is going into the background; its new pid is being looked for.
    Daemonize,
}

impl State {
    /// The name that users know.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Ok => "ok",
            Self::Dead => "dead",
            Self::Respawn => "respawn",
            Self::Down => "down",
            Self::Shutdown => "shutdown",
            Self::Daemonize => "daemonize",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
