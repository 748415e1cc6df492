//! `ssi loads`: how busy the nodes are. `loads`: the same, as the original said it.

use clap::Args;
use serde::Serialize;
use ssi_api::process::{ClusterLoads, ClusterWaits, NodeBusy, PressureView, WaitsView};

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};
use crate::process;
use crate::units::{bytes, micros};

/// How busy the nodes are, in the load balancer's units
///
/// One process that always wants a processor is a load of 100 on a node that has one
/// processor, and 50 on a node that has two. LOAD is that of the last second; EXPORTED is what
/// other nodes decide by, and rises at once, but falls slowly. RUNNING processes run or wait
/// for a processor. PRESSURE is the part of the last second in which some process could not go
/// on for want of a processor, of memory, of the disk (the kernel's PSI). WAITS (-o wide) is how
/// long tasks waited for a processor each time that they got one: half of them no longer than the
/// first, 99 of a hundred no longer than the second, since the node measures it (processes.waits
/// in ssi.toml).
///
/// Called as loads, it prints a line a node, its number and its exported load.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, or a node did not answer", "\
  ssi loads
  ssi loads -n 2,blue3 -o wide
  ssi loads --short | sort -t: -nk2 | head -1     the least loaded node
  ssi loads -o json | jq '.nodes[] | {name, free}'"))]
pub(crate) struct Options {
    /// Only these nodes: numbers or names, with commas
    #[arg(
        short = 'n',
        long = "node",
        value_name = "NODES",
        value_delimiter = ','
    )]
    nodes: Vec<Node>,
    /// Only `NUMBER: EXPORTED`, a line a node
    #[arg(short, long)]
    short: bool,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let loads = process::loads(&mut client, &options.nodes)?;
    let text = match common.output {
        Format::Json => {
            let waits = process::waits(&mut client, &options.nodes)?;
            output::json(&[
                ("here", &loads.here),
                ("nodes", &loads.nodes),
                (
                    "waits",
                    &waits.nodes.iter().map(Waits::of).collect::<Vec<_>>(),
                ),
                ("missing", &loads.missing),
            ])
        }
        _ if options.short => short(&loads),
        Format::Table => table(&loads),
        Format::Wide => wide(&loads, &process::waits(&mut client, &options.nodes)?),
    };
    output::print(&text)?;
    process::tell("ssi loads", &loads.missing)
}

fn short(loads: &ClusterLoads) -> String {
    let line = |node: &NodeBusy| format!("{}: {}\n", number(node), exported(node));
    loads.nodes.iter().map(line).collect()
}

fn table(loads: &ClusterLoads) -> String {
    let header = [
        "NODE", "NAME", "LOAD", "EXPORTED", "CPUS", "RUNNING", "FREE", "PRESSURE",
    ];
    let row = |node: &NodeBusy| {
        [
            number(node),
            name(node),
            load(node),
            exported(node),
            node.busy.cpus.to_string(),
            node.busy.running.to_string(),
            bytes(node.busy.free),
            node.busy.pressure.map_or_else(none, pressure),
        ]
    };
    output::table(header, loads.nodes.iter().map(row).collect())
}

fn wide(loads: &ClusterLoads, waits: &ClusterWaits) -> String {
    let header = [
        "NODE",
        "NAME",
        "LOAD",
        "MEAN",
        "EXPORTED",
        "ONE",
        "CPUS",
        "PROCESSES",
        "RUNNING",
        "MEMORY",
        "FREE",
        "SWAP",
        "FREE",
        "PRESSURE",
        "WAITS",
    ];
    let row = |node: &NodeBusy| {
        let busy = &node.busy;
        let its = waits
            .nodes
            .iter()
            .find(|(number, _)| *number == node.number);
        let rounded = |value: Option<f64>| value.map_or_else(none, round);
        [
            number(node),
            name(node),
            load(node),
            rounded(busy.load.map(|load| load.mean)),
            exported(node),
            rounded(busy.load.map(|load| load.process)),
            busy.cpus.to_string(),
            busy.processes.to_string(),
            busy.running.to_string(),
            bytes(busy.memory),
            bytes(busy.free),
            bytes(busy.swap),
            bytes(busy.swap_free),
            busy.pressure.map_or_else(none, pressure),
            its.map_or_else(none, |(_, waits)| waited(waits)),
        ]
    };
    output::table(header, loads.nodes.iter().map(row).collect())
}

/// How long tasks of a node waited, for programs. Times are nanoseconds.
#[derive(Serialize)]
struct Waits<'a> {
    number: u16,
    turns: u64,
    p50: Option<u64>,
    p90: Option<u64>,
    p99: Option<u64>,
    buckets: &'a [(u64, u64)],
}

impl<'a> Waits<'a> {
    fn of((number, waits): &'a (u16, WaitsView)) -> Self {
        Self {
            number: *number,
            turns: waits.turns(),
            p50: waits.percentile(500),
            p90: waits.percentile(900),
            p99: waits.percentile(990),
            buckets: &waits.buckets,
        }
    }
}

/// What half of those waited that got a processor, and what one of a hundred did at least.
fn waited(waits: &WaitsView) -> String {
    let shown = |permille| {
        waits
            .percentile(permille)
            .map(|wait| micros(wait as f64 / 1e3))
    };
    match (shown(500), shown(990)) {
        (Some(half), Some(most)) => format!("{half}, 99 %: {most}"),
        _ => none(),
    }
}

/// What is shown of nothing.
fn none() -> String {
    "-".to_owned()
}

fn round(value: f64) -> String {
    format!("{value:.0}")
}

/// Its number; a machine in no cluster has none.
fn number(node: &NodeBusy) -> String {
    match node.number {
        0 => none(),
        number => number.to_string(),
    }
}

fn name(node: &NodeBusy) -> String {
    match node.name.as_str() {
        "" => none(),
        name => name.to_owned(),
    }
}

fn load(node: &NodeBusy) -> String {
    node.busy.load.map_or_else(none, |load| round(load.load))
}

fn exported(node: &NodeBusy) -> String {
    node.busy.load.map_or_else(none, |load| round(load.upper))
}

/// Of each the percentage, what presses at all by name.
fn pressure(pressure: PressureView) -> String {
    let PressureView { cpu, memory, io } = pressure;
    let parts = [("cpu", cpu), ("memory", memory), ("io", io)].map(|(what, part)| {
        let percent = format!("{:.0}", 100.0 * part);
        (percent != "0").then(|| format!("{what} {percent} %"))
    });
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    match parts[..] {
        [] => "none".to_owned(),
        _ => parts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{BusyView, LoadView};

    use super::*;

    #[test]
    fn lines_and_tables() {
        let busy = |load: Option<LoadView>| BusyView {
            load,
            cpus: 2,
            processes: 120,
            running: 3,
            up: 0,
            memory: 8 << 30,
            free: 6 << 30,
            swap: 0,
            swap_free: 0,
            pressure: load.map(|_| PressureView {
                cpu: 0.124,
                memory: 0.0,
                io: 1.0,
            }),
        };
        let load = LoadView {
            load: 99.6,
            mean: 40.0,
            upper: 150.2,
            process: 50.0,
        };
        let node = |number, name: &str, load| NodeBusy {
            number,
            name: name.to_owned(),
            busy: busy(load),
        };
        let loads = ClusterLoads {
            here: 1,
            nodes: vec![node(1, "blue1", Some(load)), node(2, "blue2", None)],
            missing: Vec::new(),
        };
        assert_eq!(short(&loads), "1: 150\n2: -\n");
        assert_eq!(
            table(&loads),
            " NODE  NAME   LOAD  EXPORTED  CPUS  RUNNING  FREE     PRESSURE\n \
             1     blue1  100   150       2     3        6.0 GiB  cpu 12 %, io 100 %\n \
             2     blue2  -     -         2     3        6.0 GiB  -\n"
        );
        let measured = WaitsView {
            buckets: vec![(2_000, 98), (1_500_000, 2)],
        };
        let waits = ClusterWaits {
            nodes: vec![(2, measured)],
        };
        let wide = wide(&loads, &waits);
        let ends: Vec<_> = wide.lines().map(str::trim_end).collect();
        assert!(ends[1].ends_with("io 100 %  -"), "{wide}");
        assert!(ends[2].ends_with("2.0 µs, 99 %: 1.50 ms"), "{wide}");
        assert!(wide.contains("8.0 GiB") && wide.contains(" 120 "), "{wide}");
        let alone = ClusterLoads {
            nodes: vec![node(0, "", Some(load))],
            ..ClusterLoads::default()
        };
        assert_eq!(short(&alone), "-: 150\n");
    }
}
