//! A node leaves in order: until all others have the view without it.

use anyhow::{Context, Result};

use super::contender::{Contender, Corosync, Ssi, agreed, milliseconds};
use super::site::{Nodes, Site};
use super::{Options, Sample, order, rows};
use crate::measure::{Bar, Row};
use crate::progress::Progress;

/// From the request to the last other node's new view, milliseconds.
const BAR: f64 = 100.0;
/// Of ours in a round, and of the others.
const LEAVES: (usize, usize) = (12, 2);
/// With `--quick`.
const FEW: (usize, usize) = (2, 1);

pub(super) fn run(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let mut samples = Vec::new();
    let (ours, theirs) = if options.quick { FEW } else { LEAVES };
    for &nodes in &options.nodes {
        let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Ssi)];
        if !options.alone {
            all.push(Box::new(Corosync::new(nodes, None)?));
        }
        let steps = options.rounds * (ours + theirs * (all.len() - 1));
        progress.begin(steps, &format!("leave, {nodes} nodes"));
        for round in 0..options.rounds {
            for place in order(all.len(), round) {
                let contender = all[place].as_ref();
                progress.says(&format!("{}: forming", contender.name()));
                let leaves = if place == 0 { ours } else { theirs };
                let seen = turn(contender, nodes, leaves, progress)
                    .with_context(|| format!("{}, {nodes} nodes", contender.name()))?;
                samples.extend(seen);
            }
        }
    }
    Ok(rows(samples, |name| {
        let bar = Bar::P99AtMost { value: BAR };
        name.starts_with("ssi").then_some(bar)
    }))
}

fn turn(
    contender: &dyn Contender,
    nodes: u8,
    leaves: usize,
    progress: &Progress,
) -> Result<Vec<Sample>> {
    let site = Site::boot(nodes)?;
    let all = site.nodes();
    contender.found(&site, &all)?;
    agreed(contender, &site, &all)?;
    contender.ready(&site, &all)?;
    let mut samples = Vec::new();
    for (_, &node) in (0..leaves).zip(all.iter().cycle()) {
        let master = contender.master(&site) == Some(node);
        let others: Nodes = all.iter().copied().filter(|other| *other != node).collect();
        let at = contender.leave(&site, node)?;
        let took = milliseconds(at, agreed(contender, &site, &others)?);
        contender.check(&site, &others, node)?;
        let which = if master { ", its master" } else { "" };
        let name = format!("{}{which}, {nodes} nodes", contender.name());
        samples.push(Sample::new(name, took));
        progress.step(&format!("{}: {took:.0} ms", contender.name()));
        contender.rejoin(&site, node)?;
        agreed(contender, &site, &all)?;
        contender.ready(&site, &all)?;
    }
    Ok(samples)
}
