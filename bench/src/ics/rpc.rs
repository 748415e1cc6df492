//! Calls of 64 bytes and their replies, one after the other.

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use super::pair::Pair;
use super::peers::ours::{self, Kind};
use super::peers::{self, Calls, quinn, raw, tarpc, tonic};
use super::{Options, turns};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

/// Calls before counting.
const WARM: usize = 50;

/// Who is called.
struct Target {
    name: &'static str,
    calls: Calls,
    /// What is asked of the median round trip, and of the 99th of 100.
    bars: [Option<Bar>; 2],
}

/// The base is called first.
fn targets(pair: &Pair) -> Result<Vec<Target>> {
    let [plain, mac, tls] = Kind::ALL.map(|kind| ours::end(pair, kind));
    let slower_than = |than: Kind| [Some(Bar::WorseThan { than: than.name() }); 2];
    let target = |name, calls, bars| Target { name, calls, bars };
    let at_most = Some(Bar::RatioAtMost { value: 1.35 });
    let over = Some(Bar::OverAtMost {
        than: Kind::None.name(),
        value: 10.0,
    });
    Ok(vec![
        target("raw TCP, blocking", raw::calls()?, [None; 2]),
        target("raw TCP, tokio", raw::tokio_calls()?, [None; 2]),
        target(Kind::None.name(), ours::calls(plain?), [at_most, None]),
        target(Kind::Mac.name(), ours::calls(mac?), [None; 2]),
        target(Kind::Tls.name(), ours::calls(tls?), [over, None]),
        target("tonic, plain", tonic::calls()?, slower_than(Kind::None)),
        target("tarpc, plain", tarpc::calls()?, slower_than(Kind::None)),
        target("quinn, TLS", quinn::calls(pair)?, slower_than(Kind::Tls)),
    ])
}

pub(super) fn run(pair: &Pair, options: Options, progress: &Progress) -> Result<[Section; 2]> {
    progress.says("connecting everybody");
    let mut targets = targets(pair)?;
    for target in &mut targets {
        let mut ignored = peers::histogram()?;
        (target.calls)(WARM, &mut ignored).context(target.name)?;
    }
    let mut seen: Vec<Vec<Histogram<u64>>> = vec![Vec::new(); targets.len()];
    progress.begin(options.rounds * targets.len(), "rpc");
    for place in turns(options.rounds, targets.len()) {
        let target = &mut targets[place];
        let mut took = peers::histogram()?;
        (target.calls)(options.calls, &mut took).context(target.name)?;
        seen[place].push(took);
        progress.step(target.name);
    }
    let section = |which: usize, name, about: &str, quantile| -> Result<Section> {
        let rows = targets.iter().zip(&seen).map(|(target, seen)| {
            let samples = seen
                .iter()
                .map(|took| took.value_at_quantile(quantile) as f64 / 1e3);
            Ok(Row {
                name: target.name.to_owned(),
                samples: samples.collect(),
                bar: target.bars[which],
                latency: Some(all(seen)?),
                errors: 0,
            })
        });
        Ok(Section {
            name,
            about: about.to_owned(),
            unit: "µs",
            better: Better::Less,
            base: Base::First,
            rows: rows.collect::<Result<_>>()?,
        })
    };
    Ok([
        section(
            0,
            "rpc-p50",
            "64 bytes there and back, the median of a round",
            0.5,
        )?,
        section(
            1,
            "rpc-p99",
            "64 bytes there and back, 99 of 100 of a round are shorter",
            0.99,
        )?,
    ])
}

/// All rounds together.
pub(super) fn all(seen: &[Histogram<u64>]) -> Result<Histogram<u64>> {
    let mut sum = peers::histogram()?;
    for one in seen {
        sum.add(one)?;
    }
    Ok(sum)
}
