//! How commands end when they don't do what was asked.

use std::io;
use std::process::ExitCode;

use ssi_api::control::ClientError;

use crate::output;

/// Why a command failed, by exit status.
#[derive(Debug)]
pub(crate) enum Fail {
    /// 1: it was understood and could not be done.
    Failed(String),
    /// 1: the answer, which has been printed, is no.
    No,
    /// 2: the command line makes no sense.
    Usage(String),
    /// 3: the daemon cannot be reached.
    Unreachable(String),
    /// 3: of a command whose 1 is an answer: it could not be done.
    Fatal(String),
    /// 3, likewise: it was done in part, and what is missing has been said.
    Partial,
    /// What somebody else's command has ended with.
    Status(ExitCode),
}

impl Fail {
    /// The exit status.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Failed(_) | Self::No => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Unreachable(_) | Self::Fatal(_) | Self::Partial => ExitCode::from(3),
            Self::Status(status) => *status,
        }
    }

    /// Says why, in one line on standard error.
    pub(crate) fn print(&self, command: &str) {
        // What was typed may come back in a message, with its newlines and escapes.
        match self {
            Self::Failed(why) | Self::Usage(why) | Self::Unreachable(why) | Self::Fatal(why) => {
                eprintln!("{command}: {}", output::plain(why));
            }
            Self::No | Self::Partial | Self::Status(_) => {}
        }
    }
}

impl From<ClientError> for Fail {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Failed(failure) => Self::Failed(failure.message),
            ClientError::Unreachable { .. } | ClientError::Timeout { .. } => {
                Self::Unreachable(error.to_string())
            }
            ClientError::Lost { .. } | ClientError::Strange { .. } => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("cannot write: {error}"))
    }
}
