//! `ssi run` and its like, as the list of all commands has them; everything else of them is
//! [`ssi_remote`]'s, which is a program of its own, too.

use std::ffi::OsString;

use clap::Subcommand;

use ssi_remote::{Settings, help};

use crate::args::Common;
use crate::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Cmd {
    /// Run a command on another node
    #[command(disable_help_flag = true, after_long_help = help("run"))]
    Run {
        /// See `ssi run --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        args: Vec<OsString>,
    },
    /// Traditional: run a command on a node
    #[command(name = "onnode", disable_help_flag = true, after_long_help = help("onnode"))]
    OnNode {
        /// See `ssi onnode --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        args: Vec<OsString>,
    },
    /// Traditional: run a command on all nodes
    #[command(name = "onall", disable_help_flag = true, after_long_help = help("onall"))]
    OnAll {
        /// See `ssi onall --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        args: Vec<OsString>,
    },
    /// Traditional: run a command on a node of a class
    #[command(name = "onclass", disable_help_flag = true, after_long_help = help("onclass"))]
    OnClass {
        /// See `ssi onclass --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        args: Vec<OsString>,
    },
    /// Traditional: run a command on the least loaded node
    #[command(disable_help_flag = true, after_long_help = help("fast"))]
    Fast {
        /// See `ssi fast --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        args: Vec<OsString>,
    },
    /// Traditional: the number of the least loaded node
    #[command(name = "fastnode", disable_help_flag = true, after_long_help = help("fastnode"))]
    FastNode {
        /// See `ssi fastnode --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "OPTIONS"
        )]
        args: Vec<OsString>,
    },
}

impl Cmd {
    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::OnNode { .. } => "onnode",
            Self::OnAll { .. } => "onall",
            Self::OnClass { .. } => "onclass",
            Self::Fast { .. } => "fast",
            Self::FastNode { .. } => "fastnode",
        }
    }
}

impl Common {
    /// What a command that runs others has to know of this.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            socket: self.socket.clone(),
            json: self.output == Format::Json,
        }
    }
}
