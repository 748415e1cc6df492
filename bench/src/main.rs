//! `ssi-bench`: measurements, side by side with others.

mod args;
mod connections;
mod generate;
mod measure;
mod packet;
mod progress;
mod quiet;
mod report;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser as _;

use args::{Args, Lvs, Output, Part, What};
use measure::Section;
use progress::Progress;

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ssi-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    if let Some(what) = args.generate {
        return generate::generate(what);
    }
    match args.what {
        Some(What::Lvs(lvs)) => measure_lvs(&lvs),
        None => Ok(()),
    }
}

fn measure_lvs(lvs: &Lvs) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("measuring loads BPF programs and boots clusters: run it as root");
    }
    let mut sections = Vec::new();
    let outcome = measure_parts(lvs, &mut sections);
    // What was measured before a failure is not thrown away.
    if !sections.is_empty() {
        match lvs.output {
            Output::Table => print!("{}", report::tables(&sections)),
            Output::Json => print!("{}", report::document(&sections)?),
        }
        if let Some(directory) = &lvs.out {
            report::write(directory, &sections)?;
        }
    }
    outcome
}

fn measure_parts(lvs: &Lvs, sections: &mut Vec<Section>) -> Result<()> {
    let progress = Progress::new();
    if lvs.wants(Part::Packet) {
        let options = packet::Options {
            rounds: lvs.rounds(15, 5),
            repeat: if lvs.quick { 40_000 } else { 100_000 },
        };
        sections.extend(packet::run(options, &progress)?);
    }
    if lvs.wants(Part::Wire) {
        let options = wire::Options {
            rounds: lvs.rounds(11, 3),
            frames: if lvs.quick { 100_000 } else { 400_000 },
        };
        sections.extend(wire::run(options, &progress)?);
    }
    if lvs.wants(Part::Connections) {
        let options = connections::Options {
            rounds: lvs.rounds(7, 2),
            time: Duration::from_millis(if lvs.quick { 300 } else { 1000 }),
        };
        sections.extend(connections::run(options, &progress)?);
    }
    Ok(())
}
