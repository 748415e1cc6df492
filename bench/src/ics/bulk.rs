//! A stream in pieces of 64 KiB, until the other end has all of it.

use std::time::Instant;

use anyhow::{Context, Result};

use super::pair::Pair;
use super::peers::ours::{self, Kind};
use super::peers::{Sends, quinn, raw};
use super::{Options, turns};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

struct Target {
    name: &'static str,
    sends: Sends,
    bar: Option<Bar>,
}

fn targets(pair: &Pair) -> Result<Vec<Target>> {
    let target = |name, sends, bar| Target { name, sends, bar };
    let mut all = vec![target("raw TCP, blocking", raw::sends()?, None)];
    for (kind, bar) in [
        (Kind::None, Some(0.9)),
        (Kind::Mac, None),
        (Kind::Tls, Some(0.7)),
    ] {
        let sends = ours::sends(ours::end(pair, kind)?);
        let bar = bar.map(|value| Bar::RatioAtLeast { value });
        all.push(target(kind.name(), sends, bar));
    }
    let behind = Some(Bar::WorseThan {
        than: Kind::Tls.name(),
    });
    all.push(target("quinn, TLS", quinn::sends(pair)?, behind));
    Ok(all)
}

pub(super) fn run(pair: &Pair, options: Options, progress: &Progress) -> Result<Section> {
    progress.says("connecting everybody");
    let mut targets = targets(pair)?;
    for target in &mut targets {
        (target.sends)(options.bytes / 8).context(target.name)?;
    }
    let mut seen = vec![Vec::new(); targets.len()];
    progress.begin(options.rounds * targets.len(), "bulk");
    for place in turns(options.rounds, targets.len()) {
        let target = &mut targets[place];
        let start = Instant::now();
        (target.sends)(options.bytes).context(target.name)?;
        seen[place].push(options.bytes as f64 / start.elapsed().as_secs_f64() / 1e6);
        progress.step(target.name);
    }
    let rows = targets.iter().zip(seen).map(|(target, seen)| Row {
        name: target.name.to_owned(),
        samples: seen.into_iter().collect(),
        bar: target.bar,
        latency: None,
        errors: 0,
    });
    Ok(Section {
        name: "bulk",
        about: "a stream in pieces of 64 KiB, until the other end has all of it".to_owned(),
        unit: "MB/s",
        better: Better::More,
        base: Base::First,
        rows: rows.collect(),
    })
}
