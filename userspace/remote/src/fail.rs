//! Why a command was not run.

use std::io;

use ssi_api::text;
use ssi_rexec::core::NotRun;

/// The reason, and the next step.
#[derive(Debug)]
pub(crate) struct Fail(pub(crate) String);

impl Fail {
    /// Says why, in one line on standard error.
    pub(crate) fn print(&self, command: &str) {
        // What was typed may come back in a message, with its newlines and escapes.
        eprintln!("{command}: {}", text::plain(&self.0));
    }
}

impl From<NotRun> for Fail {
    fn from(not: NotRun) -> Self {
        Self(not.why)
    }
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        Self(format!("cannot write: {error}"))
    }
}
