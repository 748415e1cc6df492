//! Lines of text, for the screen and without one.

use ssi_api::cluster::NodeState;

use super::seen::{NodeRow, ProcessRow, Seen};
use crate::output;
use crate::process::{units, user};

pub(super) const NODES: &str =
    "NODE NAME         STATE      LOAD   CPU%   MEM%  RUN    ALL  CONNS  NEW/S PRESSURE";
pub(super) const PROCESSES: &str =
    "NODE     PID USER       NI    VIRT     RES S   %CPU  %MEM     TIME+ COMMAND";

/// The first line: what this is and how it is.
pub(super) fn heading(seen: &Seen) -> String {
    let mut text = format!("{}  {}", seen.time, seen.name);
    match seen.epoch {
        Some(epoch) => {
            let master = seen.master.as_deref().unwrap_or("none");
            let up = seen
                .nodes
                .iter()
                .filter(|n| n.state == Some(NodeState::Up))
                .count();
            let all = seen.nodes.len();
            text.push_str(&format!(
                ", epoch {epoch}, master {master}, {up} of {all} nodes UP"
            ));
        }
        None => text.push_str(" (in no cluster)"),
    }
    let busy = || seen.nodes.iter().filter_map(|node| node.busy);
    let all: u32 = busy().map(|busy| busy.processes).sum();
    let running: u32 = busy().map(|busy| busy.running).sum();
    output::plain(&format!("{text}, {all} processes, {running} running"))
}

/// A node.
pub(super) fn node(node: &NodeRow) -> String {
    let state = node
        .state
        .map_or_else(|| "-".to_owned(), |state| state.to_string());
    let number = match node.number {
        0 => "-".to_owned(),
        number => number.to_string(),
    };
    let mut text = format!("{number:>4} {:<12} {state:<9}", cut(&node.name, 12));
    match node.busy {
        Some(busy) => {
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            let load = or_none(busy.load.map(|load| format!("{:.0}", load.load)));
            let cpu = or_none(node.cpu.map(|cpu| format!("{cpu:.1}")));
            let used = busy.memory.saturating_sub(busy.free);
            let memory = match busy.memory {
                0 => "-".to_owned(),
                all => format!("{:.1}", 100.0 * used as f64 / all as f64),
            };
            let pressure = or_none(busy.pressure.map(|p| {
                let percent = |part: f64| format!("{:.0}", 100.0 * part);
                format!(
                    "cpu {} mem {} io {}",
                    percent(p.cpu),
                    percent(p.memory),
                    percent(p.io)
                )
            }));
            let active = or_none(node.forwarded.map(|seen| seen.active.to_string()));
            let rate = or_none(node.forwarded.map(|seen| format!("{:.0}", seen.rate)));
            text.push_str(&format!(
                " {load:>5} {cpu:>6} {memory:>6} {:>4} {:>6} {active:>6} {rate:>6} {pressure}",
                busy.running, busy.processes
            ));
        }
        None => text.push_str(&format!(" {}", node.why.as_deref().unwrap_or_default())),
    }
    output::plain(&text)
}

/// A process; with its arguments, if they were fetched.
pub(super) fn process(row: &ProcessRow) -> String {
    let process = &row.process;
    let node = match row.node {
        0 => "-".to_owned(),
        number => number.to_string(),
    };
    let command = match process.args.is_empty() {
        true => process.comm.clone(),
        false => process.args.join(" "),
    };
    output::plain(&format!(
        "{node:>4} {:>7} {:<9} {:>3} {:>7} {:>7} {} {:>6.1} {:>5.1} {:>9} {command}",
        process.pid,
        cut(&user::name(process.euid), 9),
        process.nice,
        size(process.size),
        size(process.rss),
        process.state,
        row.cpu,
        row.mem,
        time(process.run),
    ))
}

/// Minutes, seconds and hundredths, as top has them, or hours.
fn time(nanoseconds: u64) -> String {
    let hundredths = nanoseconds / 10_000_000;
    let (minutes, seconds) = (hundredths / 6_000, hundredths / 100 % 60);
    match minutes {
        0..10_000 => format!("{minutes}:{seconds:02}.{:02}", hundredths % 100),
        _ => units::time(nanoseconds, false),
    }
}

/// KiB up to six digits, then larger units.
fn size(bytes: u64) -> String {
    match bytes >> 10 {
        kib @ 0..1_000_000 => kib.to_string(),
        kib @ 1_000_000..1_000_000_000 => format!("{:.1}g", kib as f64 / f64::from(1 << 20)),
        kib => format!("{:.1}t", kib as f64 / f64::from(1 << 30)),
    }
}

fn cut(text: &str, length: usize) -> String {
    match text.chars().count() > length {
        true => text.chars().take(length - 1).chain(['+']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!(time(65_120_000_000), "1:05.12");
        assert_eq!(time(700_000_000_000_000), "8-02:26:40");
        assert_eq!(size(5 << 20), "5120");
        assert_eq!(size(3 << 30), "3.0g");
        assert_eq!(size(2 << 40), "2.0t");
        assert_eq!(cut("postgresql", 9), "postgres+");
    }
}
