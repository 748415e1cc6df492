//! Machines become a cluster: until all have the view with all.

use std::time::Instant;

use anyhow::{Context, Result};
use ssi_testbed::form;
use ssi_testbed::plan::Machine;

use super::contender::{Contender, Corosync, Ssi, agreed, milliseconds};
use super::site::Site;
use super::{Options, Sample, order, rows};
use crate::measure::{Bar, Row};
use crate::progress::Progress;

/// Milliseconds.
const BAR: f64 = 2000.0;

pub(super) fn run(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let mut samples = Vec::new();
    for &nodes in &options.nodes {
        let contenders = if options.alone { 1 } else { 2 };
        progress.begin(options.rounds * contenders, &format!("form, {nodes} nodes"));
        for round in 0..options.rounds {
            for place in order(contenders, round) {
                let seen = if place == 0 {
                    ours(nodes)
                } else {
                    theirs(&Corosync::new(nodes, None)?, nodes)
                };
                let seen = seen.with_context(|| format!("forming {nodes} nodes"))?;
                progress.step(&seen.last().map_or(String::new(), |last| last.name.clone()));
                samples.extend(seen);
            }
        }
    }
    Ok(rows(samples, |name| {
        let bar = Bar::P99AtMost { value: BAR };
        name.starts_with("ssi").then_some(bar)
    }))
}

/// All join at once; then the power fails everywhere, and all start again.
fn ours(nodes: u8) -> Result<Vec<Sample>> {
    let mut site = Site::boot(nodes)?;
    let all = site.nodes();
    Ssi.listen(&site, &all)?;
    let first = *all.first().context("a cluster has nodes")?;
    let at = Instant::now();
    form::form(site.state(), Machine::Node(first))?;
    let joined = milliseconds(at, agreed(&Ssi, &site, &all)?);
    // Nobody sees the others go.
    site.crash(&all, |_, _| Ok(()))?;
    site.boot_again(&all)?;
    let at = Instant::now();
    Ssi.start(&site, &all)?;
    let restarted = milliseconds(at, agreed(&Ssi, &site, &all)?);
    Ok(vec![
        Sample::new(format!("ssi, new nodes join, {nodes} nodes"), joined),
        Sample::new(format!("ssi, all start again, {nodes} nodes"), restarted),
    ])
}

fn theirs(contender: &dyn Contender, nodes: u8) -> Result<Vec<Sample>> {
    let site = Site::boot(nodes)?;
    let all = site.nodes();
    contender.prepare(&all)?;
    let at = Instant::now();
    contender.start(&site, &all)?;
    let took = milliseconds(at, agreed(contender, &site, &all)?);
    let name = format!("{}, all start, {nodes} nodes", contender.name());
    Ok(vec![Sample::new(name, took)])
}
