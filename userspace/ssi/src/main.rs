//! `ssi`: what people and scripts say to the node daemon.
//!
//! Called as `ipvsadm` (any name that ends so), it is `ssi lvs`.

mod args;
mod doctor;
mod fail;
mod generate;
mod lvs;
mod output;
mod status;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Args, Cmd};
use clap::Parser;
use fail::Fail;

fn main() -> ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    let (name, result) = match args::alias(&argv) {
        Some((name, rest)) => (name, lvs::run(rest, &args::Common::from_env())),
        None => {
            let (head, rest) = args::split_lvs(&argv);
            run(Args::parse_from(head), rest)
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

fn run(args: Args, lvs: &[OsString]) -> (String, Result<(), Fail>) {
    if let Some(what) = args.generate {
        return ("ssi".to_owned(), generate::generate(what));
    }
    let Some(command) = args.command else {
        let why = "which command? see: ssi --help".to_owned();
        return ("ssi".to_owned(), Err(Fail::Usage(why)));
    };
    let name = command.name().to_owned();
    let result = match command {
        Cmd::Status => status::run(&args.common),
        Cmd::Doctor => doctor::run(&args.common),
        Cmd::Lvs { .. } => lvs::run(lvs, &args.common),
        Cmd::Completion { shell } => generate::completion(shell),
    };
    (name, result)
}
