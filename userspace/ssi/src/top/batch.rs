//! One look after the other, as text or JSON.

use std::thread;

use super::look::Looker;
use super::order::{Filter, Sort};
use super::seen::Seen;
use super::{Options, text};
use crate::fail::Fail;
use crate::output::{self, Format};
use crate::process;

pub(super) fn run(mut looker: Looker, options: &Options, format: Format) -> Result<(), Fail> {
    let mut left = options.iterations;
    let mut first = true;
    loop {
        let seen = looker.look(options.args || format == Format::Json)?;
        let printed = match format {
            Format::Json => json(&seen),
            Format::Table | Format::Wide => page(&seen, first),
        };
        first = false;
        if !output::send(&printed)? {
            return Ok(());
        }
        left = left.map(|left| left - 1);
        if left == Some(0) {
            return process::tell("ssi top", &seen.missing);
        }
        thread::sleep(options.delay);
    }
}

fn json(seen: &Seen) -> String {
    output::json_line(&[
        ("time", &seen.time),
        ("name", &seen.name),
        ("epoch", &seen.epoch),
        ("master", &seen.master),
        ("nodes", &seen.nodes),
        ("processes", &seen.processes),
        ("missing", &seen.missing),
    ])
}

/// What the screen has, of any length; an empty line between two.
fn page(seen: &Seen, first: bool) -> String {
    let mut lines = Vec::new();
    if !first {
        lines.push(String::new());
    }
    lines.push(text::heading(seen));
    lines.push(text::NODES.to_owned());
    lines.extend(seen.nodes.iter().map(text::node));
    lines.push(String::new());
    lines.push(text::PROCESSES.to_owned());
    let mut places = Filter::default().of(&seen.processes);
    Sort::default().sort(&mut places, &seen.processes);
    lines.extend(places.iter().map(|at| text::process(&seen.processes[*at])));
    lines.push(String::new());
    lines.join("\n")
}
