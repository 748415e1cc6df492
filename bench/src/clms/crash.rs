//! A node vanishes, and nobody is told: until all others have the view without it.

use anyhow::{Context, Result};

use super::contender::{Contender, Corosync, Serf, Ssi, agreed, milliseconds};
use super::site::{Nodes, Site};
use super::{Options, Sample, TUNED, order, rows};
use crate::measure::{Bar, Row};
use crate::progress::Progress;

/// From the crash to the last survivor's new view, milliseconds.
const BAR: f64 = 1000.0;
/// Crashes of ours in a round; of the slow ones there is one.
const CRASHES: usize = 12;
/// With `--quick`.
const FEW: usize = 2;
/// Every third crash is the master's.
const MASTER: usize = 3;

pub(super) fn run(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let mut samples = Vec::new();
    for &nodes in &options.nodes {
        let all = contenders(nodes, options.alone)?;
        let crashes = if options.quick { FEW } else { CRASHES };
        progress.begin(
            options.rounds * (crashes + all.len() - 1),
            &format!("crash, {nodes} nodes"),
        );
        for round in 0..options.rounds {
            for place in order(all.len(), round) {
                let contender = all[place].as_ref();
                let crashes = if place == 0 { crashes } else { 1 };
                let name = contender.name();
                progress.says(&format!("{name}: forming"));
                let seen = turn(contender, nodes, round, crashes, progress)
                    .with_context(|| format!("{name}, {nodes} nodes"))?;
                samples.extend(seen);
            }
        }
    }
    Ok(rows(samples, |name| {
        let bar = Bar::P99AtMost { value: BAR };
        name.starts_with("ssi").then_some(bar)
    }))
}

/// The first is ours.
fn contenders(nodes: u8, alone: bool) -> Result<Vec<Box<dyn Contender>>> {
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Ssi)];
    if !alone {
        all.push(Box::new(Corosync::new(nodes, None)?));
        let tuned = if nodes <= 3 { TUNED.0 } else { TUNED.1 };
        all.push(Box::new(Corosync::new(nodes, Some(tuned))?));
        all.push(Box::new(Serf::new()?));
    }
    Ok(all)
}

fn turn(
    contender: &dyn Contender,
    nodes: u8,
    round: usize,
    crashes: usize,
    progress: &Progress,
) -> Result<Vec<Sample>> {
    let mut site = Site::boot(nodes)?;
    let all = site.nodes();
    contender.found(&site, &all)?;
    agreed(contender, &site, &all)?;
    contender.ready(&site, &all)?;
    let mut samples = Vec::new();
    for crash in 0..crashes {
        let master = contender.master(&site);
        let victim = victim(&all, master, round * crashes + crash)?;
        let survivors: Nodes = all.iter().copied().filter(|node| *node != victim).collect();
        let gone = Nodes::from([victim]);
        let took = site.crash(&gone, |site, at| {
            let seen = agreed(contender, site, &survivors)?;
            Ok(milliseconds(at, seen))
        })?;
        contender.check(&site, &survivors, victim)?;
        let which = if master == Some(victim) {
            ", its master"
        } else {
            ""
        };
        let name = format!("{}{which}, {nodes} nodes", contender.name());
        samples.push(Sample::new(name, took));
        progress.step(&format!("{}: {took:.0} ms", contender.name()));
        if crash + 1 < crashes {
            site.boot_again(&gone)?;
            contender.prepare(&gone)?;
            contender.start(&site, &gone)?;
            agreed(contender, &site, &all)?;
            contender.ready(&site, &all)?;
        }
    }
    Ok(samples)
}

/// Who goes: the master in every third crash, else the others in turn.
fn victim(all: &Nodes, master: Option<u8>, crash: usize) -> Result<u8> {
    if let Some(master) = master
        && crash % MASTER == MASTER - 1
    {
        return Ok(master);
    }
    let others: Vec<u8> = all
        .iter()
        .copied()
        .filter(|node| Some(*node) != master)
        .collect();
    let place = crash % others.len().max(1);
    others
        .get(place)
        .copied()
        .context("a cluster has two nodes")
}
