//! How it is found out whether a process does what it is there for.

use serde::{Deserialize, Serialize};

use super::seconds::Span;

/// What says that a process is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// It says so itself: `READY=1` at `$NOTIFY_SOCKET`, as sd_notify(3) does.
    Notify,
    /// It passes [`Test::Port`].
    Port(u16),
    /// It passes [`Test::Command`].
    Command(Vec<String>),
    /// It passes [`Test::Http`].
    Http(String),
}

impl Ready {
    /// The test from outside, unless the process says so itself.
    #[must_use]
    pub fn test(&self) -> Option<Test> {
        match self {
            Self::Notify => None,
            Self::Port(port) => Some(Test::Port(*port)),
            Self::Command(command) => Some(Test::Command(command.clone())),
            Self::Http(address) => Some(Test::Http(address.clone())),
        }
    }
}

/// A test from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Something accepts connections at this TCP port of the node.
    Port(u16),
    /// A command ends with 0.
    Command(Vec<String>),
    /// A `http://` address answers with a status of 200 to 399.
    Http(String),
}

/// A test that is repeated while the process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The test.
    pub test: Test,
    /// How long from one to the next.
    #[serde(default = "Health::default_every")]
    pub every: Span,
    /// How long one may take.
    #[serde(default = "Health::default_timeout")]
    pub timeout: Span,
    /// So many failures in a row, and the process is restarted.
    #[serde(default = "Health::default_failures")]
    pub failures: u32,
}

impl Health {
    /// How long a test may take unless it is said.
    pub(crate) const TIMEOUT: Span = Span::secs(5);

    const fn default_every() -> Span {
        Span::secs(10)
    }

    const fn default_timeout() -> Span {
        Self::TIMEOUT
    }

    const fn default_failures() -> u32 {
        3
    }
}
