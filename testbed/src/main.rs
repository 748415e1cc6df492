//! `ssi-testbed`, and `ssi-start`, `ssi-add`, `ssi-rm`, `ssi-stop`, `ssi-console`.

mod cli;

use std::process::ExitCode;

use ssi_testbed::node::{CRADLE, INIT, cradle, init};

/// Exit status when what was asked for failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let words: Vec<_> = words.iter().filter_map(|word| word.to_str()).collect();
    let ended = match words[..] {
        // Its own steps of starting a machine, not for people.
        [_, CRADLE, host, daemon] => cradle::run(host, daemon).map(|()| ExitCode::SUCCESS),
        [_, INIT, host, daemon] => init::run(host, daemon).map(|()| ExitCode::SUCCESS),
        _ => cli::run(),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("ssi-testbed: {error:#}");
        ExitCode::from(FAILED)
    })
}
