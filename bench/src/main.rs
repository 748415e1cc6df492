//! `ssi-bench`: measurements, side by side with others.

mod args;
mod cables;
mod clms;
mod connections;
mod generate;
mod ics;
mod keepalive;
mod measure;
mod packet;
mod proc;
mod progress;
mod quiet;
mod report;
mod rexec;
mod scratch;
mod testbed;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser as _;

use args::{Args, Clms, How, Ics, Keepalive, Lvs, Output, Part, Proc, Rexec, What, wanted};
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
        Some(What::Lvs(lvs)) => measure("lvs", &lvs.how, |sections| lvs_parts(&lvs, sections)),
        Some(What::Ics(ics)) => measure("ics", &ics.how, |sections| ics_parts(&ics, sections)),
        Some(What::Clms(clms)) => {
            measure("clms", &clms.how, |sections| clms_parts(&clms, sections))
        }
        Some(What::Proc(proc)) => {
            measure("proc", &proc.how, |sections| proc_parts(&proc, sections))
        }
        Some(What::Keepalive(keepalive)) => measure("keepalive", &keepalive.how, |sections| {
            keepalive_parts(&keepalive, sections)
        }),
        Some(What::Rexec(rexec)) => measure("rexec", &rexec.how, |sections| {
            rexec_parts(&rexec, sections)
        }),
        Some(What::RexecNear {
            rounds,
            commands,
            in_a_row,
            at_once,
        }) => rexec::near(rounds, commands, in_a_row, at_once),
        Some(What::Herd { count }) => proc::herd(count),
        Some(What::KeepaliveFar { folder, count }) => keepalive::supervise(&folder, count),
        Some(What::IcsFar) => ics::serve(),
        None => Ok(()),
    }
}

fn measure(
    name: &str,
    how: &How,
    parts: impl FnOnce(&mut Vec<Section>) -> Result<()>,
) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("measuring loads BPF programs and boots clusters: run it as root");
    }
    let mut sections = Vec::new();
    let outcome = parts(&mut sections);
    report(name, how, &sections)?;
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

fn ics_parts(ics: &Ics, sections: &mut Vec<Section>) -> Result<()> {
    let quick = ics.how.quick;
    let options = ics::Options {
        rounds: ics.how.rounds(11, 2),
        calls: if quick { 200 } else { 3000 },
        bytes: if quick { 16 << 20 } else { 256 << 20 },
        pending: 10_000,
    };
    ics::run(|part| wanted(&ics.parts).contains(&part), options, sections)
}

fn lvs_parts(lvs: &Lvs, sections: &mut Vec<Section>) -> Result<()> {
    // Before there is any other thread, which a signal could come to.
    testbed::stop_on_signals()?;
    let progress = Progress::new();
    let how = &lvs.how;
    let wants = |part: Part| wanted(&lvs.parts).contains(&part);
    if wants(Part::Packet) {
        let options = packet::Options {
            rounds: how.rounds(15, 5),
            repeat: if how.quick { 40_000 } else { 100_000 },
        };
        sections.extend(packet::run(options, &progress)?);
    }
    if wants(Part::Wire) {
        let options = wire::Options {
            rounds: how.rounds(11, 3),
            frames: if how.quick { 100_000 } else { 400_000 },
        };
        sections.extend(wire::run(options, &progress)?);
    }
    if wants(Part::Connections) {
        let options = connections::Options {
            rounds: how.rounds(7, 2),
            time: Duration::from_millis(if how.quick { 300 } else { 1000 }),
        };
        sections.extend(connections::run(options, &progress)?);
    }
    Ok(())
}

fn proc_parts(proc: &Proc, sections: &mut Vec<Section>) -> Result<()> {
    let quick = proc.how.quick;
    let options = proc::Options {
        rounds: proc.how.rounds(15, 3),
        exits: if quick { 50 } else { 500 },
        switches: if quick { 10_000 } else { 40_000 },
    };
    for part in wanted(&proc.parts) {
        let progress = Progress::new();
        sections.extend(proc::run(*part, options, &progress)?);
    }
    Ok(())
}

fn keepalive_parts(keepalive: &Keepalive, sections: &mut Vec<Section>) -> Result<()> {
    let quick = keepalive.how.quick;
    let options = keepalive::Options {
        rounds: keepalive.how.rounds(41, 4),
        started: if quick { 100 } else { 1000 },
        watched: if quick { 300 } else { 10_000 },
        alone: keepalive.alone,
    };
    for part in wanted(&keepalive.parts) {
        let progress = Progress::new();
        sections.extend(keepalive::run(*part, options, &progress)?);
    }
    Ok(())
}

fn rexec_parts(rexec: &Rexec, sections: &mut Vec<Section>) -> Result<()> {
    // Before there is any other thread, which a signal could come to.
    testbed::stop_on_signals()?;
    let options = rexec::Options {
        rounds: rexec.how.rounds(15, 3),
        commands: if rexec.how.quick { 10 } else { 50 },
        many: if rexec.how.quick { 50 } else { 500 },
    };
    rexec::run(wanted(&rexec.parts), options, &Progress::new(), sections)
}

fn clms_parts(clms: &Clms, sections: &mut Vec<Section>) -> Result<()> {
    // Before there is any other thread, which a signal could come to.
    testbed::stop_on_signals()?;
    let mut nodes = clms.nodes.clone();
    nodes.sort_unstable();
    nodes.dedup();
    let options = clms::Options {
        rounds: clms.how.rounds(5, 1),
        quick: clms.how.quick,
        nodes,
        alone: clms.alone,
    };
    for part in wanted(&clms.parts) {
        let progress = Progress::new();
        sections.push(clms::run(*part, &options, &progress)?);
    }
    Ok(())
}
