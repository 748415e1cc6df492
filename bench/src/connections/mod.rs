//! Connections: a real cluster, real TCP, and who would be used in our place.
//!
//! Client, director and servers are nodes of the testbed and share the machine's CPUs, so
//! a rate is what a connection costs all of them together. All targets have their turns
//! in every round; what counts is the ratio to no balancer at all.

mod load;
mod server;
mod site;
mod targets;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use load::{Seen, Work};
use site::{DIRECTOR, SERVERS, Site};
use targets::{SERVED, Target};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// How long one target has its turn.
    pub(crate) time: Duration,
}

/// A section of the report.
struct Kind {
    name: &'static str,
    about: &'static str,
    connections: usize,
    short: bool,
    /// Of the rate without a balancer.
    bar: Option<f64>,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "short",
        about: "connect, 64 bytes, 64 bytes back, close; 32 at a time",
        connections: 32,
        short: true,
        bar: Some(0.8),
    },
    Kind {
        name: "long",
        about: "64 bytes and back on 32 connections that stay",
        connections: 32,
        short: false,
        bar: Some(0.9),
    },
    Kind {
        name: "short-alone",
        about: "connect, 64 bytes, 64 bytes back, close; one at a time, for its latency",
        connections: 1,
        short: true,
        bar: None,
    },
    Kind {
        name: "long-alone",
        about: "64 bytes and back on one connection, for its latency",
        connections: 1,
        short: false,
        bar: None,
    },
];

/// How long a target may take until its first answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Boots a cluster, measures, and stops it.
pub(crate) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    progress.says("booting a cluster, starting the others");
    let site = Site::boot()?;
    prepare(&site)?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let servers = SERVERS.map(|node| {
            let (site, stop) = (&site, &stop);
            scope.spawn(move || {
                site.enter_node(node)?;
                server::serve(&SERVED, stop)
            })
        });
        let sections = measure(&site, options, progress);
        stop.store(true, Ordering::Relaxed);
        for server in servers {
            if let Ok(Err(error)) = server.join() {
                return Err(error.context("a server"));
            }
        }
        sections
    })
}

/// Who has made 60,000 connections in a minute is out of ports, the client as well as a
/// proxy, and it is not ports that are measured.
fn prepare(site: &Site) -> Result<()> {
    let settings = "cd /proc/sys/net/ipv4; echo 1024 65535 >ip_local_port_range; \
                    echo 1 >tcp_tw_reuse; echo 200000 >tcp_max_tw_buckets";
    for machine in ["client", DIRECTOR] {
        site.sh(machine, settings, "")?;
    }
    Ok(())
}

fn measure(site: &Site, options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let targets = targets::set_up(site)?;
    for target in &targets {
        progress.says(&format!("waiting for {}", target.name));
        turn(site, target, || wait_for(site, target))?;
    }
    let mut seen: Vec<Vec<Vec<Seen>>> = vec![vec![Vec::new(); targets.len()]; KINDS.len()];
    progress.begin(options.rounds * KINDS.len() * targets.len(), "connections");
    for round in 0..options.rounds {
        for (kind, seen) in KINDS.iter().zip(&mut seen) {
            for place in 0..targets.len() {
                // Whoever comes after whom, in one round or another.
                let place = (place + round) % targets.len();
                let target = &targets[place];
                let work = Work {
                    connections: kind.connections,
                    short: kind.short,
                    time: options.time,
                };
                let at = || site.on_client(|| load::run(work, &target.addresses));
                let saw = turn(site, target, at)
                    .with_context(|| format!("{}\n{}\n", target.name, director(site)))?;
                seen[place].push(saw);
                progress.step(target.name);
            }
        }
    }
    let sections = KINDS.iter().zip(seen);
    sections
        .map(|(kind, seen)| section(kind, &targets, seen))
        .collect()
}

/// What the director says of itself, for whoever reads a failure.
fn director(site: &Site) -> String {
    site.sh(DIRECTOR, "ssi status; ssi lvs -L -n --stats; ip neigh", "")
        .unwrap_or_else(|error| error.to_string())
}

/// Does something while a target is in place.
fn turn<T>(site: &Site, target: &Target, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some((before, _)) = target.around {
        site.sh(DIRECTOR, before, "")?;
    }
    let result = work();
    if let Some((_, after)) = target.around {
        site.sh(DIRECTOR, after, "")?;
    }
    result
}

fn wait_for(site: &Site, target: &Target) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    let work = Work {
        connections: 2,
        short: true,
        time: Duration::from_millis(50),
    };
    loop {
        let seen = site.on_client(|| load::run(work, &target.addresses));
        match seen {
            Ok(seen) if seen.rate > 0.0 && seen.errors == 0 => return Ok(()),
            _ if Instant::now() < end => thread::sleep(Duration::from_millis(50)),
            Ok(_) => bail!("{} does not answer", target.name),
            Err(error) => return Err(error.context(target.name)),
        }
    }
}

fn section(kind: &Kind, targets: &[Target], seen: Vec<Vec<Seen>>) -> Result<Section> {
    let mut rows = Vec::new();
    for (target, seen) in targets.iter().zip(seen) {
        let mut latency: Option<hdrhistogram::Histogram<u64>> = None;
        for one in &seen {
            match &mut latency {
                Some(all) => all.add(&one.latency)?,
                None => latency = Some(one.latency.clone()),
            }
        }
        rows.push(Row {
            name: target.name.to_owned(),
            samples: seen.iter().map(|seen| seen.rate).collect(),
            bar: kind
                .bar
                .filter(|_| target.ours)
                .map(|value| Bar::RatioAtLeast { value }),
            latency,
            errors: seen.iter().map(|seen| seen.errors).sum(),
        });
    }
    Ok(Section {
        name: kind.name,
        about: kind.about.to_owned(),
        unit: if kind.short { "conn/s" } else { "req/s" },
        better: Better::More,
        base: Base::First,
        rows,
    })
}
