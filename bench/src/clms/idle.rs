//! What a cluster costs that does nothing: bytes on the interconnect, and memory.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ssi_testbed::plan::INTERCONNECT;

use super::contender::{Contender, Corosync, Etcd, Serf, Ssi, agreed};
use super::site::{Nodes, Site, until};
use super::{Options, Sample, order, rows};
use crate::measure::{Bar, Row};
use crate::progress::Progress;

/// Bytes a second and node, each way.
const TRAFFIC: f64 = 2000.0;
/// MB.
const MEMORY: f64 = 20.0;
/// Nodes of an etcd.
const VOTERS: u8 = 3;
/// How long it is left alone before anything is counted.
const SETTLE: Duration = Duration::from_secs(10);
/// How long is counted.
const COUNT: Duration = Duration::from_secs(20);
/// With `--quick`.
const SHORT: Duration = Duration::from_secs(3);

/// Bytes that each node sent and received, a second.
pub(super) fn traffic(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let time = if options.quick { SHORT } else { COUNT };
    let samples = everybody(options, progress, "idle", |contender, site| {
        let (before, start) = (bytes(site)?, Instant::now());
        thread::sleep(time);
        let (after, took) = (bytes(site)?, start.elapsed().as_secs_f64());
        let mut samples = Vec::new();
        for (node, (received, sent)) in after {
            let was = before.get(&node).context("it was there before")?;
            for (way, more) in [("sent", sent - was.1), ("received", received - was.0)] {
                let name = format!("{}, {way}", contender.name());
                samples.push(Sample::new(name, more as f64 / took));
            }
        }
        Ok(samples)
    })?;
    Ok(rows(samples, |name| {
        let bar = Bar::WorstAtMost { value: TRAFFIC };
        name.starts_with("ssi").then_some(bar)
    }))
}

/// Resident memory of each node's daemon.
pub(super) fn memory(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let mut samples = everybody(options, progress, "memory", |contender, site| {
        resident(site, &contender.name(), contender.process())
    })?;
    if !options.alone {
        progress.says("etcd");
        let etcd = Etcd::new(None)?;
        let site = Site::boot(VOTERS)?;
        etcd.start(&site.nodes(), &site.nodes())?;
        let pause = Duration::from_millis(50);
        until("a leader", SETTLE, pause, || {
            Ok(Etcd::master(&site)?.is_some())
        })?;
        thread::sleep(if options.quick { SHORT } else { SETTLE });
        samples.extend(resident(&site, "etcd, 3 nodes", "etcd")?);
    }
    Ok(rows(samples, |name| {
        let bar = Bar::WorstAtMost { value: MEMORY };
        name.starts_with("ssi").then_some(bar)
    }))
}

/// Forms a cluster of each, leaves it alone for a while, and looks.
fn everybody(
    options: &Options,
    progress: &Progress,
    part: &str,
    look: impl Fn(&dyn Contender, &Site) -> Result<Vec<Sample>>,
) -> Result<Vec<Sample>> {
    let nodes = options.nodes.last().copied().context("a size")?;
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Ssi)];
    if !options.alone {
        all.push(Box::new(Corosync::new(nodes, None)?));
        all.push(Box::new(Serf::new()?));
    }
    progress.begin(
        options.rounds * all.len(),
        &format!("{part}, {nodes} nodes"),
    );
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for place in order(all.len(), round) {
            let contender = all[place].as_ref();
            progress.says(&contender.name());
            let site = Site::boot(nodes)?;
            let members = site.nodes();
            contender.found(&site, &members)?;
            agreed(contender, &site, &members).with_context(|| contender.name())?;
            thread::sleep(if options.quick { SHORT } else { SETTLE });
            samples.extend(look(contender, &site)?);
            progress.step(&contender.name());
        }
    }
    Ok(samples)
}

/// What each node received and sent so far.
fn bytes(site: &Site) -> Result<BTreeMap<u8, (u64, u64)>> {
    let one = |node: u8| {
        let path = format!("/proc/{}/net/dev", site.init(node)?);
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        let counted = counted(&text).with_context(|| format!("{path} has no {INTERCONNECT}"))?;
        Ok((node, counted))
    };
    site.nodes().into_iter().map(one).collect()
}

fn counted(text: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.trim().strip_prefix(INTERCONNECT)?.strip_prefix(':'))?;
    let columns: Vec<&str> = line.split_whitespace().collect();
    let number = |column: usize| columns.get(column)?.parse().ok();
    Some((number(0)?, number(8)?))
}

fn resident(site: &Site, name: &str, process: &str) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let nodes: Nodes = site.nodes();
    for node in nodes {
        // All of that name: some have helpers.
        let mut kilobytes = 0;
        for pid in site.processes(node, process)? {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let number = line.and_then(|line| line.split_whitespace().next());
            let number: u64 = number.context("VmRSS")?.parse()?;
            kilobytes += number;
        }
        samples.push(Sample::new(name.to_owned(), kilobytes as f64 * 1.024e-3));
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_right_line_and_columns() {
        let text = "Inter-| Receive | Transmit\n lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  ic0: 100 2 3 4 5 6 7 8 900 10 11 12 13 14 15 16\n";
        assert_eq!(counted(text), Some((100, 900)));
        assert_eq!(counted("ic00: 1 2"), None);
        assert_eq!(counted(""), None);
    }
}
