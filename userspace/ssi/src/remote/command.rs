//! The commands as the list of all commands has them; their options are read by `grammar`.

use std::ffi::OsString;

use clap::Subcommand;

use super::help;

#[derive(Debug, Subcommand)]
pub(crate) enum Cmd {
    /// Run a command on another node
    #[command(disable_help_flag = true, after_long_help = help::RUN)]
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
    #[command(name = "onnode", disable_help_flag = true, after_long_help = help::ONNODE)]
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
    #[command(name = "onall", disable_help_flag = true, after_long_help = help::ONALL)]
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
    #[command(name = "onclass", disable_help_flag = true, after_long_help = help::ONCLASS)]
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
    #[command(disable_help_flag = true, after_long_help = help::FAST)]
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
    #[command(name = "fastnode", disable_help_flag = true, after_long_help = help::FASTNODE)]
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
