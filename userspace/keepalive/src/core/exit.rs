//! How a process ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
    /// Nobody saw it.
    Unknown,
}

impl Exit {
    /// Of a status as wait(2) has it.
    #[must_use]
    pub const fn of_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Code((status >> 8 & 0xff) as u8),
            signal => Self::Signal(signal as u8),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
            Self::Unknown => f.write_str("an end that nobody saw"),
        }
    }
}

/// The signals that end processes most often.
const fn name(signal: u8) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// Why a process counts as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It ended though nobody wanted it to.
    Exit(Exit),
    /// It couldn't be started.
    NotStarted(String),
    /// It was not ready in time.
    NotReady,
    /// It failed its health check so many times in a row; what the last one said.
    Unhealthy(String),
    /// It didn't say `WATCHDOG=1` in time.
    Watchdog,
    /// It went into the background, and nothing of it is there.
    NoDaemon,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(exit) => write!(f, "last {exit}"),
            Self::NotStarted(why) => write!(f, "it can't be started: {why}"),
            Self::NotReady => f.write_str("it was not ready in time"),
            Self::Unhealthy(why) => write!(f, "it failed its health checks: {why}"),
            Self::Watchdog => f.write_str("its watchdog heard nothing of it"),
            Self::NoDaemon => f.write_str("it went into the background and left no process"),
        }
    }
}
