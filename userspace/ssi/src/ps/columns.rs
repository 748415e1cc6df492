//! The columns.

use super::column::{Column, Line, Value};
use crate::process::{units, user};

/// A column by any of its names.
pub(super) fn find(name: &str) -> Result<&'static Column, String> {
    if matches!(name, "cgroup" | "cgname") {
        return Err(format!(
            "there is no column {name}: nodes tell a cgroup's number only (cgroupid); its path: cat /cluster/proc/CPID/cgroup, CPID as -o cpid has it"
        ));
    }
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

/// A command, behind its place in a tree.
macro_rules! command {
    ($names:expr, $text:expr) => {
        Column {
            names: &$names,
            header: "COMMAND",
            right: false,
            value: |line| Value::Text($text(line)),
            text: Some(|line| format!("{}{}", line.before, $text(line))),
        }
    };
}

const COLUMNS: &[Column] = &[
    number!(["pid"], "PID", pid),
    number!(["ppid"], "PPID", ppid),
    shown!(
        ["cpid"],
        "CPID",
        |line: Line<'_>| clusterwide(line, line.process.pid),
        |line| line
            .cpid(line.process.pid)
            .map_or_else(none, |cpid| cpid.number().to_string())
    ),
    shown!(
        ["npid"],
        "PID",
        |line: Line<'_>| clusterwide(line, line.process.pid),
        |line| with_node(line, line.process.pid)
    ),
    shown!(
        ["nppid"],
        "PPID",
        |line: Line<'_>| clusterwide(line, line.process.ppid),
        |line| with_node(line, line.process.ppid)
    ),
    shown!(
        ["npgid"],
        "PGID",
        |line: Line<'_>| clusterwide(line, line.process.pgid),
        |line| with_node(line, line.process.pgid)
    ),
    shown!(
        ["nsid"],
        "SID",
        |line: Line<'_>| clusterwide(line, line.process.sid),
        |line| with_node(line, line.process.sid)
    ),
    shown!(
        ["node"],
        "NODE",
        |line: Line<'_>| f64::from(line.node.number),
        |line| match line.node.number {
            0 => none(),
            number => number.to_string(),
        }
    ),
    text!(
        ["nodename"],
        "NODENAME",
        |line: Line<'_>| match line.node.name.as_str() {
            "" => none(),
            name => name.to_owned(),
        }
    ),
    number!(["pgid", "pgrp"], "PGID", pgid),
    number!(["sid", "sess", "session"], "SID", sid),
    number!(["uid", "ruid"], "UID", uid),
    number!(["euid"], "EUID", euid),
    number!(["ni", "nice"], "NI", nice),
    number!(["nlwp", "thcount"], "NLWP", threads),
    number!(["cgroupid"], "CGROUPID", cgroup),
    number!(["vol"], "VOL", voluntary),
    number!(["invol"], "INVOL", involuntary),
    text!(["user", "ruser"], "USER", |line: Line<'_>| user::name(
        line.process.uid
    )),
    text!(["euser"], "EUSER", |line: Line<'_>| user::name(
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
    command!(["comm", "ucmd", "ucomm"], |line: Line<'_>| line
        .process
        .comm
        .clone()),
    command!(["args", "cmd", "command"], args),
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
        ["sz"],
        "SZ",
        |line: Line<'_>| line.process.size as f64,
        |line| (line.process.size / 4096).to_string()
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
        |line| {
            units::start(
                started(line),
                line.node.said.booted.saturating_add(line.node.said.at),
            )
        }
    ),
    shown!(
        ["lstart"],
        "STARTED",
        |line: Line<'_>| line.process.start as f64,
        |line| units::date(started(line))
    ),
];

/// What is shown of nothing.
fn none() -> String {
    "-".to_owned()
}

/// A number that sorts by node, and by pid there.
fn clusterwide(line: Line<'_>, pid: u32) -> f64 {
    line.cpid(pid)
        .map_or_else(|| f64::from(pid), |cpid| f64::from(cpid.number()))
}

/// `node/pid`, or the pid alone in no cluster, or of nobody.
fn with_node(line: Line<'_>, pid: u32) -> String {
    line.cpid(pid)
        .map_or_else(|| pid.to_string(), |cpid| cpid.to_string())
}

fn kib(bytes: u64) -> String {
    (bytes / 1024).to_string()
}

/// Nanoseconds since it began.
fn age(line: Line<'_>) -> u64 {
    line.node.said.at.saturating_sub(line.process.start)
}

/// Nanoseconds since 1970.
fn started(line: Line<'_>) -> u64 {
    line.node.said.booted.saturating_add(line.process.start)
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
    match line.node.said.memory {
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
