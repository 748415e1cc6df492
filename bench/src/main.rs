//! `ssi-bench`: measurements, side by side with others.

mod args;
mod cables;
mod connections;
mod generate;
mod ics;
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

use args::{Args, How, Ics, Lvs, Output, Part, What};
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
        Some(What::Ics(ics)) => measure_ics(&ics),
        Some(What::IcsFar) => ics::serve(),
        None => Ok(()),
    }
}

fn measure_lvs(lvs: &Lvs) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("measuring loads BPF programs and boots clusters: run it as root");
    }
    let mut sections = Vec::new();
    let outcome = measure_parts(lvs, &mut sections);
    report("lvs", &lvs.how, &sections)?;
    outcome
}

fn measure_ics(ics: &Ics) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("measuring makes network namespaces: run it as root");
    }
    let quick = ics.how.quick;
    let options = ics::Options {
        rounds: ics.how.rounds(11, 2),
        calls: if quick { 200 } else { 3000 },
        bytes: if quick { 16 << 20 } else { 256 << 20 },
        pending: 10_000,
    };
    let mut sections = Vec::new();
    let outcome = ics::run(|part| ics.wants(part), options, &mut sections);
    report("ics", &ics.how, &sections)?;
    outcome
}

/// What was measured before a failure is not thrown away.
fn report(name: &str, how: &How, sections: &[Section]) -> Result<()> {
    if sections.is_empty() {
        return Ok(());
    }
    match how.output {
        Output::Table => print!("{}", report::tables(sections)),
        Output::Json => print!("{}", report::document(sections)?),
    }
    match &how.out {
        Some(directory) => report::write(directory, name, sections),
        None => Ok(()),
    }
}

fn measure_parts(lvs: &Lvs, sections: &mut Vec<Section>) -> Result<()> {
    let progress = Progress::new();
    if lvs.wants(Part::Packet) {
        let options = packet::Options {
            rounds: lvs.how.rounds(15, 5),
            repeat: if lvs.how.quick { 40_000 } else { 100_000 },
        };
        sections.extend(packet::run(options, &progress)?);
    }
    if lvs.wants(Part::Wire) {
        let options = wire::Options {
            rounds: lvs.how.rounds(11, 3),
            frames: if lvs.how.quick { 100_000 } else { 400_000 },
        };
        sections.extend(wire::run(options, &progress)?);
    }
    if lvs.wants(Part::Connections) {
        let options = connections::Options {
            rounds: lvs.how.rounds(7, 2),
            time: Duration::from_millis(if lvs.how.quick { 300 } else { 1000 }),
        };
        sections.extend(connections::run(options, &progress)?);
    }
    Ok(())
}
