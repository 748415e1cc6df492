//! Why something was not done.

use ssi_api::control::{ClientError, Failure};
use ssi_api::process::Pid;
use thiserror::Error;

/// Why something was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// `ssid` of this node can't be asked, or the conversation broke.
    #[error(transparent)]
    Daemon(ClientError),
    /// This node is in no cluster.
    #[error("{0}")]
    NotMember(String),
    /// There is no such node, or it is not UP.
    #[error("{0}")]
    NoNode(String),
    /// There is no such process.
    #[error("there is no process {0}")]
    NoProcess(Pid),
    /// This user may not do that to this process.
    #[error("not permitted on process {0}")]
    NotPermitted(Pid),
    /// The command was not found on its node.
    #[error("{0}")]
    NoCommand(String),
    /// The command can't be executed on its node.
    #[error("{0}")]
    NotExecutable(String),
    /// Whether it was done is not known.
    #[error("{0}")]
    Unknown(String),
    /// It was not done, for this reason.
    #[error("{0}")]
    Failed(String),
    /// The operating system failed here.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Failed(Failure { message, .. }) => Self::Failed(message),
            error => Self::Daemon(error),
        }
    }
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }
}
