//! What the program at each switch costs.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use ssi_loader::{Proc, ProcOptions};

use super::Options;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::quiet::Quiet;

const WITHOUT: &str = "without";
const WITH: &str = "with the program";

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let mut proc = Proc::open(&ProcOptions::default())?;
    // Threads inherit the one CPU, so each byte is a switch.
    let _quiet = Quiet::take()?;
    let (mut ours, theirs) = pipe()?;
    let (mut there, mut out) = pipe()?;
    let partner = thread::spawn(move || echo(&mut there, theirs));
    let mut samples = [Vec::new(), Vec::new()];
    progress.begin(options.rounds * 2, "switch");
    for round in 0..options.rounds {
        for place in 0..2 {
            let with = (place + round) % 2 == 1;
            proc.measure_queue(with)?;
            play(&mut ours, &mut out, options.switches / 10)?;
            let before = turns(&proc)?;
            let began = Instant::now();
            play(&mut ours, &mut out, options.switches)?;
            let nanos = began.elapsed().as_nanos() as f64 / f64::from(options.switches);
            let counted = turns(&proc)? - before;
            let all = counted >= u64::from(options.switches);
            ensure!(
                all == with,
                "{counted} of {} switches seen",
                options.switches
            );
            samples[usize::from(with)].push(nanos);
            progress.step([WITHOUT, WITH][usize::from(with)]);
        }
    }
    drop(out);
    partner.join().ok().context("the partner panicked")?;
    let rows = [WITHOUT, WITH].into_iter().zip(samples);
    let rows = rows.map(|(name, samples)| Row {
        name: name.to_owned(),
        samples: samples.into_iter().collect(),
        bar: (name == WITH).then_some(Bar::OverAtMost {
            than: WITHOUT,
            value: 250.0,
        }),
        latency: None,
        errors: 0,
    });
    Ok(vec![Section {
        name: "switch",
        about: "two threads on one CPU hand a byte to and fro through pipes; nanoseconds a \
                switch, the pipes' own cost included"
            .to_owned(),
        unit: "ns",
        better: Better::Less,
        base: Base::First,
        rows: rows.collect(),
    }])
}

/// Sends each byte back, until there is nobody to send any.
fn echo(from: &mut PipeReader, mut to: PipeWriter) {
    let mut byte = [0];
    while from.read_exact(&mut byte).is_ok() && to.write_all(&byte).is_ok() {}
}

/// So many switches: there and back again.
fn play(from: &mut PipeReader, to: &mut PipeWriter, switches: u32) -> Result<()> {
    let mut byte = [0];
    for _ in 0..switches / 2 {
        to.write_all(&byte)?;
        from.read_exact(&mut byte)?;
    }
    Ok(())
}

/// How often a task got a CPU so far.
fn turns(proc: &Proc) -> Result<u64> {
    let turns = proc.latencies().read()?;
    Ok(turns.iter().map(|(_, count)| count).sum())
}
