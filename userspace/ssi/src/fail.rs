//! How commands end when they don't do what was asked.

use std::io;
use std::process::ExitCode;

use ssi_api::control::ClientError;

/// Why a command failed, by exit status.
#[derive(Debug)]
pub(crate) enum Fail {
    /// 1: it was understood and could not be done.
    Failed(String),
    /// 2: the command line makes no sense.
    Usage(String),
    /// 3: the daemon cannot be reached.
    Unreachable(String),
}

impl Fail {
    /// The exit status.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        })
    }

    /// Says why, in one line on standard error.
    pub(crate) fn print(&self, command: &str) {
        let (Self::Failed(why) | Self::Usage(why) | Self::Unreachable(why)) = self;
        eprintln!("{command}: {}", one_line(why));
    }
}

/// What was typed may come back in a message, with its newlines and escapes.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
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
