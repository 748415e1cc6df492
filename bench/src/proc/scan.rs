//! Looking at all processes.

use std::fs::{self, File};
use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::time::{ClockId, clock_gettime};
use ssi_abi::proc::Task;
use ssi_loader::{Proc, ProcOptions};
use ssi_vproc::Tracker;

use super::Options;
use super::herd::Herd;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

/// Processes beside those that the machine has anyway.
const COUNT: usize = 10_000;

/// A way of looking; says how many it has seen.
struct Way {
    name: &'static str,
    look: Box<dyn FnMut() -> Result<usize>>,
    /// Milliseconds a look may take, and % of a core once a second.
    bars: Option<(f64, f64)>,
}

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    progress.says("forking processes");
    let _herd = Herd::start(COUNT)?;
    let mut ways = ways()?;
    let mut wall = vec![Vec::new(); ways.len()];
    let mut cpu = vec![Vec::new(); ways.len()];
    progress.begin(options.rounds * ways.len(), "scan");
    for round in 0..options.rounds {
        for place in 0..ways.len() {
            let which = (place + round) % ways.len();
            let way = &mut ways[which];
            let (began, used) = (Instant::now(), used()?);
            let seen = (way.look)().context(way.name)?;
            wall[which].push(began.elapsed().as_secs_f64() * 1e3);
            cpu[which].push((self::used()? - used).as_secs_f64() * 100.0);
            ensure!(seen >= COUNT, "{}: {seen} of {COUNT} seen", way.name);
            progress.step(way.name);
        }
    }
    let section = |name, about: &str, unit, samples: Vec<Vec<f64>>, bar: fn((f64, f64)) -> f64| {
        let rows = ways.iter().zip(samples).map(|(way, samples)| Row {
            name: way.name.to_owned(),
            samples: samples.into_iter().collect(),
            bar: way.bars.map(bar).map(|value| Bar::AtMost {
                value,
                scaled: value,
            }),
            latency: None,
            errors: 0,
        });
        Section {
            name,
            about: about.to_owned(),
            unit,
            better: Better::Less,
            base: Base::First,
            rows: rows.collect(),
        }
    };
    let about = format!("{COUNT} processes, and those of the machine, are looked at");
    Ok(vec![
        section("scan", &about, "ms", wall, |bars| bars.0),
        section(
            "scan-cpu",
            "the same, as a part of a core if it is done once a second",
            "%",
            cpu,
            |bars| bars.1,
        ),
    ])
}

fn ways() -> Result<Vec<Way>> {
    let mut proc = Proc::open(&ProcOptions::default())?;
    let mut tasks: Vec<Task> = Vec::new();
    let mut tracker = Tracker::by_tracing(&ProcOptions::default())?;
    let mut procfs = Tracker::by_procfs();
    let mut text = Vec::new();
    Ok(vec![
        Way {
            name: "/proc/PID/stat, open, read, close",
            look: Box::new(move || stats(&mut text)),
            bars: None,
        },
        Way {
            name: "/proc, records",
            look: Box::new(move || Ok(procfs.snapshot()?.processes.len())),
            bars: None,
        },
        Way {
            name: "iter/task, tasks",
            look: Box::new(move || {
                proc.snapshot(&mut tasks)?;
                Ok(tasks.len())
            }),
            bars: Some((20.0, 2.0)),
        },
        Way {
            name: "iter/task, records",
            look: Box::new(move || Ok(tracker.snapshot()?.processes.len())),
            bars: Some((20.0, 2.0)),
        },
    ])
}

/// The least that /proc takes: the files are read, and not even looked at.
fn stats(text: &mut Vec<u8>) -> Result<usize> {
    let mut seen = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        text.clear();
        // It may have ended.
        let file = File::open(std::path::Path::new("/proc").join(name).join("stat"));
        if file.and_then(|mut file| file.read_to_end(text)).is_ok() {
            seen += 1;
        }
    }
    Ok(seen)
}

/// Processor time of this thread.
fn used() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
