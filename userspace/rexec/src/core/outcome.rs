//! How commands end, and what the surrogate's exit status says where no command ran: the
//! numbers are those of env(1) and of shells.

use serde::{Deserialize, Serialize};

/// Remote execution itself failed; nothing was run.
pub const FAILED: u8 = 125;
/// The command is there, and can't be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub const NOT_FOUND: u8 = 127;
/// The command ran, and how it ended is not known: its node, or the connection, is gone.
pub const LOST: u8 = 255;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this exit status.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// Why a command does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRun {
    /// The exit status that says it.
    pub status: u8,
    /// In words: what, why, what to do.
    pub why: String,
}

impl NotRun {
    /// Remote execution failed.
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            status: FAILED,
            why: why.into(),
        }
    }
}
