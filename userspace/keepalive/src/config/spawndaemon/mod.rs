//! The options of the original's `spawndaemon`.
//!
//! What each option does is taken from what is left of the original's manual: the synopsis
//! is complete, the text is not. `-o` is in the synopsis only; it is carried along
//! ([`Registration::o`]) and nothing follows from it.

mod grammar;
mod lexer;
mod print;
mod registration;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use grammar::parse;
pub use registration::{Registration, Scope};

/// What a `spawndaemon` command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `-r`: keeps what this file says alive, and starts it.
    Register {
        /// Says what; the options go before what is said there.
        file: PathBuf,
        /// The options.
        options: Registration,
    },
    /// `-R`: keeps a process alive that runs already.
    Adopt {
        /// Says what it is.
        file: PathBuf,
        /// The process.
        pid: u32,
        /// The options.
        options: Registration,
    },
    /// `-x`: forgets the errors of what is down, and starts it again.
    Clear {
        /// Of what.
        which: Which,
        /// `-k`: kills it first, if it runs.
        kill: bool,
    },
    /// `-d`, `-p`, `-g`, `-s`: keeps it alive no longer.
    Remove {
        /// What.
        which: Which,
        /// `-k`: kills it too; without it, it goes on.
        kill: bool,
    },
    /// `-q`: restarts nothing until further notice.
    Quiesce,
    /// `-Q`: ends supervision.
    Quit {
        /// `-k`: kills all that is kept alive; without it, it goes on.
        kill: bool,
    },
    /// `-L`: what is kept alive.
    List {
        /// For whom.
        form: Form,
        /// Which part; none: all.
        part: Option<Part>,
    },
    /// `-X`: forgets the errors of everything that is down, and starts it again.
    ClearAll,
    /// `-z`: how many processes can be kept alive.
    Size(u32),
}

/// Which registered process, or processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of this program, and of these arguments if `-a` was given.
    Path {
        /// The program.
        path: PathBuf,
        /// `-a`: its arguments must be these.
        args: Option<Vec<String>>,
    },
    /// The one that runs with this pid.
    Pid(u32),
    /// All of a group.
    Group(String),
    /// The one in this slot of the table.
    Slot(u32),
}

/// For whom a list is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Columns.
    #[default]
    Human,
    /// Fields that stay as they are.
    Machine,
}

/// Part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The processes.
    Processes,
    /// Supervision itself.
    Keepalive,
}

/// What is wrong with a command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub(super) String);
