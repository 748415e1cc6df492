//! What asks a process to end; how long until the next start; where the output goes.

use serde::{Deserialize, Serialize};

use super::seconds::Span;
use super::size::Size;

/// What asks a process to end, by the names of kill(1) without `SIG`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "signal(7) says what each is")]
pub enum StopSignal {
    #[default]
    Term,
    Int,
    Quit,
    Hup,
    Usr1,
    Usr2,
    Winch,
}

impl StopSignal {
    /// With `SIG`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Hup => "SIGHUP",
            Self::Usr1 => "SIGUSR1",
            Self::Usr2 => "SIGUSR2",
            Self::Winch => "SIGWINCH",
        }
    }
}

/// How long passes before a process is restarted that fails again and again: nothing the
/// first time, then `first`, then each time `factor` times as long, up to `longest`. A
/// process that ran for `reset` begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Before the second restart.
    pub first: Span,
    /// Each time so many times as long.
    pub factor: u32,
    /// Never longer than this.
    pub longest: Span,
    /// A run of this length was a good one.
    pub reset: Span,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Span::millis(100),
            factor: 2,
            longest: Span::secs(10),
            reset: Span::secs(10),
        }
    }
}

/// Where standard output and standard error go: to a file, or systemd's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogFile {
    /// How large it may become before what is in it is moved to an older one.
    pub size: Size,
    /// How many older ones are kept.
    pub keep: u32,
    /// To the journal of the node it runs on, by the process's name; where there is none, to
    /// the file.
    pub journal: bool,
}

impl Default for LogFile {
    fn default() -> Self {
        Self {
            size: Size(16 << 20),
            keep: 4,
            journal: false,
        }
    }
}
