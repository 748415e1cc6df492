//! One JSON document, for programs.

use std::fs;
use std::time::SystemTime;

use anyhow::Result;
use nix::sys::utsname::uname;
use serde::Serialize;

use crate::measure::{Bar, Base, Better, Row, Section};

/// Of the document's form; goes up when a field changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    /// When it was made, seconds since 1970 (UTC).
    time: u64,
    machine: Machine,
    sections: Vec<Measured<'a>>,
}

#[derive(Serialize)]
struct Machine {
    cpu: String,
    cpus: usize,
    kernel: String,
}

#[derive(Serialize)]
struct Measured<'a> {
    name: &'a str,
    about: &'a str,
    unit: &'a str,
    better: Better,
    rows: Vec<Figures<'a>>,
}

#[derive(Serialize)]
struct Figures<'a> {
    name: &'a str,
    best: f64,
    median: f64,
    p99: f64,
    worst: f64,
    samples: &'a [f64],
    /// What was taken off each sample for what measuring costs, and the best without that.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_best: Option<f64>,
    /// Where samples are a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    best_nanoseconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
    /// By the bar as it is scaled to this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    met_scaled: Option<bool>,
    /// Nanoseconds by quantile.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Vec<(f64, u64)>>,
    errors: u64,
}

/// Everything, indented.
pub(crate) fn document(sections: &[Section]) -> Result<String> {
    let document = Document {
        version: VERSION,
        time: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
        machine: machine(),
        sections: sections.iter().map(measured).collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn measured(section: &Section) -> Measured<'_> {
    Measured {
        name: section.name,
        about: &section.about,
        unit: section.unit,
        better: section.better,
        rows: section
            .rows
            .iter()
            .map(|row| figures(section, row))
            .collect(),
    }
}

fn figures<'a>(section: &'a Section, row: &'a Row) -> Figures<'a> {
    let best = row.best(section.better);
    Figures {
        name: &row.name,
        best,
        median: row.median(),
        p99: row.p99(),
        worst: row.worst(section.better),
        samples: &row.samples.values,
        floor: row.samples.floor,
        raw_best: row.raw(section.better),
        best_nanoseconds: section.nanoseconds(best),
        ratio: (section.base == Base::First).then(|| row.ratio(&section.rows[0])),
        bar: row.bar,
        met: section.met(row).map(|(bare, _)| bare),
        met_scaled: section.met(row).map(|(_, scaled)| scaled),
        latency: row.latency.as_ref().map(|latency| {
            [0.5, 0.9, 0.99, 0.999]
                .map(|q| (q, latency.value_at_quantile(q)))
                .to_vec()
        }),
        errors: row.errors,
    }
}

fn machine() -> Machine {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    Machine {
        cpu: model.map_or("unknown", |(_, name)| name).to_owned(),
        cpus: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        kernel: uname().map_or_else(
            |_| "unknown".to_owned(),
            |name| name.release().to_string_lossy().into_owned(),
        ),
    }
}
