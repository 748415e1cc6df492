//! `ssi`: what people and scripts say to the node daemon.
//!
//! Called as `ipvsadm` (any name that ends so), it is `ssi lvs`; called by the name of one
//! of the original's commands, it is that.

mod alias;
mod args;
mod ask;
mod cluster;
mod command;
mod completion;
mod doctor;
mod drain;
mod fail;
mod generate;
mod help;
mod ics;
mod kill;
mod loads;
mod lvs;
mod member;
mod node;
mod output;
mod patience;
mod pgrep;
mod process;
mod program;
mod ps;
mod pstree;
mod remote;
mod renice;
mod service;
mod shell;
mod status;
mod top;
mod tradition;
mod units;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use alias::Called;
use args::{Args, Common};
use clap::{CommandFactory, FromArgMatches};
use fail::Fail;
use ssi_remote::Settings;

fn main() -> ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    if let Some((name, shown, rest)) = alias::remote(&argv) {
        // A command that is run is not to wait until all others are described.
        return ssi_remote::run(name, &shown, rest, &Settings::from_env());
    }
    let (name, result) = match alias::called(&argv) {
        Called::Lvs(name) => (name, lvs::run(&argv[1..], &Common::from_env())),
        Called::Command("spawndaemon") => {
            let rest = &argv[1..];
            let done = tradition::spawndaemon::run(rest, &Common::from_env());
            ("spawndaemon".to_owned(), done)
        }
        Called::Command(name) => {
            let ssi = ["ssi", name].into_iter().chain(alias::implied(name));
            let rest = argv.into_iter().skip(1);
            let argv: Vec<_> = ssi.map(OsString::from).chain(rest).collect();
            (name.to_owned(), run(&argv, &[]).1)
        }
        Called::Ssi => {
            let (head, rest) = args::split(&argv);
            run(head, rest)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            fail.print(&name);
            fail.code()
        }
    }
}

/// Runs a command line; also the name of its command, for messages. `rest` is what came
/// after a command whose line clap does not read.
fn run(argv: &[OsString], rest: &[OsString]) -> (String, Result<(), Fail>) {
    let matches = Args::command().get_matches_from(argv);
    let name = matches
        .subcommand_name()
        .map_or_else(|| "ssi".to_owned(), |command| format!("ssi {command}"));
    // What clap accepted has the form that clap derived.
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    let result = if let Some(what) = args.generate.what {
        generate::generate(what, args.generate.of.as_deref())
    } else if let Some(command) = args.command {
        command.run(&args.common, rest)
    } else {
        let why = "which command? see: ssi --help".to_owned();
        Err(Fail::Usage(why))
    };
    (name, result)
}
