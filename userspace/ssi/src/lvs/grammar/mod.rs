//! ipvsadm's command line, understood: a pure function from arguments to an [`Invocation`].

mod address;
mod build;
mod options;
mod rules;
mod server;
mod service;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ssi_api::lvs::{Command, Protocol, ServiceName, UnknownName};
use thiserror::Error;

use crate::output::Format;

/// Where names of hosts and ports are looked up.
pub(crate) trait Names {
    /// A host's address.
    fn host(&self, name: &str) -> Option<IpAddr>;
    /// A service's port.
    fn port(&self, name: &str, protocol: Protocol) -> Option<u16>;
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invocation {
    /// What to do.
    pub(crate) action: Action,
    /// `-o json`, if it was said.
    pub(crate) output: Option<Format>,
    /// What the user should know although it is no error.
    pub(crate) notes: Vec<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Change something.
    Change(Command),
    /// `-L`.
    List(List),
    /// `-S`.
    Save {
        /// `-n`.
        numeric: bool,
        /// `--nosort`.
        nosort: bool,
    },
    /// `-R`.
    Restore,
    /// `-h`.
    Help,
    /// `-v`.
    Version,
}

/// What to list, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct List {
    /// Only this service.
    pub(crate) service: Option<ServiceName>,
    /// Which columns.
    pub(crate) view: View,
    /// `-n`.
    pub(crate) numeric: bool,
    /// `--exact`.
    pub(crate) exact: bool,
    /// `--nosort`.
    pub(crate) nosort: bool,
}

/// Which columns a list has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// Method, weight and connections.
    #[default]
    Servers,
    /// `--stats`.
    Stats,
    /// `--rate`.
    Rate,
    /// `--thresholds`.
    Thresholds,
    /// `--persistent-conn`.
    Persistent,
    /// `--tun-info`.
    Tunnels,
    /// `-c`.
    Connections,
    /// `--timeout`.
    Timeouts,
    /// `--daemon`: there is no such daemon, so there is nothing to show.
    Daemon,
}

/// Why a command line cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum UsageError {
    #[error("unknown option {0}; see: ssi lvs --help")]
    UnknownOption(String),
    #[error("{0} needs a value")]
    NeedsValue(String),
    #[error("{0} takes no value")]
    NoValue(String),
    #[error("unexpected argument \"{0}\"; see: ssi lvs --help")]
    UnexpectedArgument(String),
    #[error("which command? One of -A -E -D -C -R -S -a -e -d -L -Z --set; see: ssi lvs --help")]
    NoCommand,
    #[error("{0} and {1} cannot be used together")]
    Conflict(String, String),
    #[error("{0} was said twice")]
    Twice(String),
    #[error("{0} is not for {1}")]
    NotFor(String, String),
    #[error("{command} needs {needs}")]
    Missing {
        command: String,
        needs: &'static str,
    },
    #[error("bad {what} \"{value}\": {why}")]
    BadValue {
        what: &'static str,
        value: String,
        why: String,
    },
    #[error(transparent)]
    UnknownName(#[from] UnknownName),
    #[error("{what} is not supported: {why}")]
    Unsupported { what: String, why: &'static str },
}

/// Understands the arguments after `ssi lvs` or `ipvsadm`. None at all is `-L`.
pub(crate) fn parse(args: &[String], names: &dyn Names) -> Result<Invocation, UsageError> {
    build::invocation(options::cut(args)?, names)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A few names that are the same on every machine.
    pub(crate) struct Fixed;

    impl Names for Fixed {
        fn host(&self, name: &str) -> Option<IpAddr> {
            (name == "www").then(|| IpAddr::from([192, 0, 2, 7]))
        }

        fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
            match (name, protocol) {
                ("http", Protocol::Tcp) => Some(80),
                ("http-alt", Protocol::Tcp) => Some(8080),
                ("domain", _) => Some(53),
                _ => None,
            }
        }
    }

    /// Understands a line cut at its spaces.
    pub(crate) fn line(line: &str) -> Result<Invocation, UsageError> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args, &Fixed)
    }
}
