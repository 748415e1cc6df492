//! How far an instance is: what the seven states are made of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::live::Live;
use crate::core::exit::Exit;
use crate::core::id::Main;
use crate::core::state::State;
use crate::core::time::Time;

/// How far an instance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// It wants to start, and does as soon as nothing it waits for is missing.
    Waiting,
    /// The runner is starting it.
    Starting,
    /// It runs.
    Running(Live),
    /// It is being ended, whatever the reason.
    Ending(Ending),
    /// It failed, and is started again then.
    Pausing {
        /// When.
        until: Time,
    },
    /// It can't run here, and asked for another node; if none takes it, it is tried here.
    Rejected {
        /// When.
        until: Time,
        /// How it said so.
        exit: Exit,
    },
    /// It is started again only if somebody says so.
    Down(Down),
    /// Somebody wants it not to run.
    Stopped(Stop),
    /// Nothing of it is here, and nothing will be.
    Gone,
}

/// On its way to having no process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// What comes when it has none.
    pub(crate) then: Then,
    /// Its main process, if it is known and not known to have ended.
    pub(crate) main: Option<Main>,
    /// The main process has not ended, as far as is known.
    pub(crate) main_left: bool,
    /// Other processes are left, as far as is known.
    pub(crate) rest_left: bool,
    /// When the next signal goes out.
    pub(crate) by: Time,
    /// How often it was sent SIGKILL.
    pub(crate) kills: u32,
}

/// What comes after an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// A start, after this long.
    Pause(Duration),
    /// The question for another node.
    Reject(Exit),
    /// A start.
    Start,
    /// Nothing, until somebody says so.
    Down(Down),
    /// Nothing, because somebody wants it so.
    Stopped(Stop),
    /// Another node's turn.
    Gone,
}

/// Why something is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Down {
    /// It reached its error limit.
    Errors,
    /// It ended with a code that says so.
    Code(u8),
    /// This member of its group went down.
    Group(String),
}

/// Why something is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stop {
    /// An operator stopped it.
    Operator,
    /// Its configuration says that it is not started by itself.
    Disabled,
}

impl Ending {
    /// Whether it is ended on purpose, not because it failed.
    pub(crate) const fn is_deliberate(&self) -> bool {
        match &self.then {
            Then::Start | Then::Stopped(_) | Then::Gone | Then::Down(Down::Group(_)) => true,
            Then::Pause(_) | Then::Reject(_) | Then::Down(_) => false,
        }
    }
}

impl Phase {
    /// Whether there may be a process of it.
    pub(crate) const fn is_alive(&self) -> bool {
        matches!(self, Self::Starting | Self::Running(_) | Self::Ending(_))
    }

    /// The state that operators see. `again`: it ran before, and failed.
    pub(crate) const fn state(&self, again: bool, daemonize: bool) -> State {
        match self {
            Self::Running(live) if live.ready => State::Ok,
            Self::Running(live) if daemonize && !live.daemonized => State::Daemonize,
            Self::Waiting | Self::Starting | Self::Running(_) if again => State::Respawn,
            Self::Waiting | Self::Starting | Self::Running(_) => State::Start,
            Self::Ending(ending) if ending.is_deliberate() => State::Shutdown,
            Self::Ending(_) => State::Dead,
            Self::Pausing { .. } | Self::Rejected { .. } => State::Respawn,
            Self::Down(_) => State::Down,
            Self::Stopped(_) | Self::Gone => State::Shutdown,
        }
    }
}
