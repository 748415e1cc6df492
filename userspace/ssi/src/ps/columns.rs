//! The columns.

use std::cmp::Ordering;

use ssi_api::process::{ProcessView, ProcessesView};

use super::units;

/// One process, and what it is shown with.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) node: &'a ProcessesView,
    pub(super) process: &'a ProcessView,
    /// Times as BSD writes them.
    pub(super) short_times: bool,
}

/// What a column has of a process.
pub(super) enum Value {
    Number(f64),
    Text(String),
}

/// A column.
pub(super) struct Column {
    /// The first is its own, the others mean the same.
    pub(super) names: &'static [&'static str],
    pub(super) header: &'static str,
    pub(super) right: bool,
    /// What it sorts by.
    pub(super) value: fn(Line<'_>) -> Value,
    /// What it shows; `None`: the value as it is.
    pub(super) text: Option<fn(Line<'_>) -> String>,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.names[0])
    }
}

impl Column {
    /// What it shows of a process.
    pub(super) fn show(&self, line: Line<'_>) -> String {
        if let Some(text) = self.text {
            return text(line);
        }
        match (self.value)(line) {
            Value::Number(number) => format!("{number}"),
            Value::Text(text) => text,
        }
    }

    /// Which of two processes comes first.
    pub(super) fn order(&self, node: &ProcessesView, a: &ProcessView, b: &ProcessView) -> Ordering {
        let value = |process| {
            (self.value)(Line {
                node,
                process,
                short_times: false,
            })
        };
        match (value(a), value(b)) {
            (Value::Number(a), Value::Number(b)) => a.total_cmp(&b),
            (Value::Text(a), Value::Text(b)) => a.cmp(&b),
            (Value::Number(_), Value::Text(_)) => Ordering::Less,
            (Value::Text(_), Value::Number(_)) => Ordering::Greater,
        }
    }
}

/// A column by any of its names.
pub(super) fn find(name: &str) -> Result<&'static Column, String> {
    COLUMNS
        .iter()
        .find(|column| column.names.contains(&name))
        .ok_or_else(|| format!("there is no column {name:?}; see: ssi ps --help"))
}

/// A number that is shown as it is.
macro_rules! number {
    ($names:expr, $header:expr, $field:ident) => {
        Column {
            names: &$names,
            header: $header,
            right: true,
            value: |line| Value::Number(line.process.$field as f64),
            text: None,
        }
    };
}

/// A number that is shown in some way.
macro_rules! shown {
    ($names:expr, $header:expr, $value:expr, $text:expr) => {
        Column {
            names: &$names,
            header: $header,
            right: true,
            value: |line| Value::Number($value(line)),
            text: Some($text),
        }
    };
}

macro_rules! text {
    ($names:expr, $header:expr, $text:expr) => {
        Column {
            names: &$names,
            header: $header,
            right: false,
            value: |line| Value::Text($text(line)),
            text: None,
        }
    };
}

const COLUMNS: &[Column] = &[
    number!(["pid"], "PID", pid),
    number!(["ppid"], "PPID", ppid),
    number!(["pgid", "pgrp"], "PGID", pgid),
    number!(["sid", "sess", "session"], "SID", sid),
    number!(["uid", "ruid"], "UID", uid),
    number!(["euid"], "EUID", euid),
    number!(["ni", "nice"], "NI", nice),
    number!(["nlwp", "thcount"], "NLWP", threads),
    number!(["cgroup", "cgroupid"], "CGROUP", cgroup),
    number!(["vol"], "VOL", voluntary),
    number!(["invol"], "INVOL", involuntary),
    text!(["user", "ruser"], "USER", |line: Line<'_>| units::user(
        line.process.uid
    )),
    text!(["euser"], "EUSER", |line: Line<'_>| units::user(
        line.process.euid
    )),
    text!(["tty", "tt", "tname"], "TTY", |line: Line<'_>| units::tty(
        line.process.tty
    )),
    text!(["s", "state"], "S", |line: Line<'_>| line
        .process
        .state
        .to_string()),
    text!(["stat"], "STAT", stat),
    text!(["comm", "ucmd", "ucomm"], "COMMAND", |line: Line<'_>| line
        .process
        .comm
        .clone()),
    text!(["args", "cmd", "command"], "COMMAND", args),
    shown!(
        ["rss", "rssize"],
        "RSS",
        |line: Line<'_>| line.process.rss as f64,
        |line| kib(line.process.rss)
    ),
    shown!(
        ["swap"],
        "SWAP",
        |line: Line<'_>| line.process.swap as f64,
        |line| kib(line.process.swap)
    ),
    shown!(
        ["vsz", "vsize"],
        "VSZ",
        |line: Line<'_>| line.process.size as f64,
        |line| kib(line.process.size)
    ),
    shown!(
        ["load"],
        "LOAD",
        |line: Line<'_>| line.process.load,
        |line| format!("{:.1}", line.process.load)
    ),
    shown!(["%cpu", "pcpu"], "%CPU", cpu, |line| format!(
        "{:.1}",
        cpu(line)
    )),
    shown!(["c"], "C", cpu, |line| format!(
        "{:.0}",
        cpu(line).min(99.0)
    )),
    shown!(["%mem", "pmem"], "%MEM", memory, |line| format!(
        "{:.1}",
        memory(line)
    )),
    shown!(
        ["time", "cputime"],
        "TIME",
        |line: Line<'_>| line.process.run as f64,
        |line| time(line, line.process.run)
    ),
    shown!(
        ["utime"],
        "UTIME",
        |line: Line<'_>| line.process.utime as f64,
        |line| time(line, line.process.utime)
    ),
    shown!(
        ["stime"],
        "SYSTIME",
        |line: Line<'_>| line.process.stime as f64,
        |line| time(line, line.process.stime)
    ),
    shown!(
        ["wait"],
        "WAIT",
        |line: Line<'_>| line.process.wait as f64,
        |line| time(line, line.process.wait)
    ),
    shown!(
        ["etime"],
        "ELAPSED",
        |line: Line<'_>| age(line) as f64,
        |line| units::elapsed(age(line))
    ),
    shown!(
        ["start", "start_time", "bsdstart"],
        "START",
        |line: Line<'_>| line.process.start as f64,
        |line| { units::start(started(line), line.node.booted.saturating_add(line.node.at)) }
    ),
    shown!(
        ["lstart"],
        "STARTED",
        |line: Line<'_>| line.process.start as f64,
        |line| units::date(started(line))
    ),
];

fn kib(bytes: u64) -> String {
    (bytes / 1024).to_string()
}

/// Nanoseconds since it began.
fn age(line: Line<'_>) -> u64 {
    line.node.at.saturating_sub(line.process.start)
}

/// Nanoseconds since 1970.
fn started(line: Line<'_>) -> u64 {
    line.node.booted.saturating_add(line.process.start)
}

fn time(line: Line<'_>, nanoseconds: u64) -> String {
    units::time(nanoseconds, line.short_times)
}

/// % of a processor, in all its life.
fn cpu(line: Line<'_>) -> f64 {
    match age(line) {
        0 => 0.0,
        age => 100.0 * line.process.run as f64 / age as f64,
    }
}

/// % of the node's memory.
fn memory(line: Line<'_>) -> f64 {
    match line.node.memory {
        0 => 0.0,
        all => 100.0 * line.process.rss as f64 / all as f64,
    }
}

/// The state, and what ps says besides: high or low priority, session leader, threads.
fn stat(line: Line<'_>) -> String {
    let process = line.process;
    let mut text = process.state.to_string();
    match process.nice {
        ..0 => text.push('<'),
        0 => {}
        _ => text.push('N'),
    }
    if process.sid == process.pid {
        text.push('s');
    }
    if process.threads > 1 {
        text.push('l');
    }
    text
}

/// The arguments, or the name in brackets of who has none.
fn args(line: Line<'_>) -> String {
    let process = line.process;
    match (process.args.is_empty(), process.state) {
        (_, 'Z') => format!("[{}] <defunct>", process.comm),
        (true, _) => format!("[{}]", process.comm),
        (false, _) => process.args.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ps::HELP;

    #[test]
    fn names_are_of_one_column_each_and_help_has_them() {
        let mut seen = std::collections::BTreeSet::new();
        for column in COLUMNS {
            for name in column.names {
                assert!(seen.insert(name), "{name}");
            }
            let own = column.names[0];
            let listed = HELP.split_whitespace().any(|word| word == own);
            assert!(listed || own == "c", "{own}");
        }
    }
}
