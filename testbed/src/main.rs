//! `ssi-testbed`, and `ssi-start`, `ssi-add`, `ssi-rm`, `ssi-stop`, `ssi-console`.

mod args;
mod console;
mod run;

use std::process::ExitCode;

use clap::Parser as _;

/// Exit status when what was asked for failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    // Its own steps of starting a machine, not for people.
    let words: Vec<String> = std::env::args().collect();
    if let [_, step, host, daemon] = words.as_slice()
        && [ssi_testbed::node::INIT, ssi_testbed::node::CRADLE].contains(&step.as_str())
    {
        return ended(ssi_testbed_step(step, host, daemon).map(|()| ExitCode::SUCCESS));
    }
    let args = args::Args::parse_from(args::by_name(std::env::args_os()));
    ended(run::run(args.verb))
}

fn ssi_testbed_step(step: &str, host: &str, daemon: &str) -> anyhow::Result<()> {
    if step == ssi_testbed::node::INIT {
        ssi_testbed::node::init::run(host, daemon)
    } else {
        ssi_testbed::node::cradle(host, daemon)
    }
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("ssi-testbed: {error:#}");
        ExitCode::from(FAILED)
    })
}
