//! One JSON document, for programs.

use std::fs;

use anyhow::Result;
use nix::sys::utsname::uname;
use serde::Serialize;

use crate::measure::{Bar, Base, Better, Row, Section};

/// Of the document's form; goes up when a field changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
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
    samples: &'a [f64],
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
    /// Nanoseconds by quantile.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Vec<(f64, u64)>>,
    errors: u64,
}

/// Everything, indented.
pub(crate) fn document(sections: &[Section]) -> Result<String> {
    let document = Document {
        version: VERSION,
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
    Figures {
        name: &row.name,
        best: row.best(section.better),
        median: row.median(),
        samples: &row.samples,
        ratio: (section.base == Base::First).then(|| row.ratio(&section.rows[0])),
        bar: row.bar,
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
