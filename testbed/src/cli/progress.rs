//! Who is up, as it happens.

use std::io::{IsTerminal as _, Write as _};

use ssi_testbed::plan::Machine;

/// On a terminal, one line that grows; elsewhere nothing.
pub(super) struct Progress {
    terminal: bool,
    first: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            first: true,
        }
    }

    pub(super) fn up(&mut self, machine: Machine) {
        if !self.terminal {
            return;
        }
        eprint!("{}{machine}", if self.first { "up: " } else { ", " });
        self.first = false;
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Progress {
    /// An error starts on a line of its own.
    fn drop(&mut self) {
        if self.terminal && !self.first {
            eprintln!();
        }
    }
}
