//! Urgent calls while a stream saturates what is between the ends, and while nothing does.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use ssi_ics::core::Priority;

use super::pair::Pair;
use super::peers::ours::{self, End, Kind};
use super::peers::{self, Calls, Sends, raw};
use super::rpc::all;
use super::{Options, turns};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

/// Bytes of a stream while calls are made; then comes the next.
const STREAM: u64 = 64 << 20;
/// Of the 99th of 100 without a stream.
const BAR: f64 = 3.0;

/// Who calls and streams.
enum Target {
    Raw(Calls),
    Ours(Rc<End>),
}

impl Target {
    fn calls(&mut self, calls: usize, busy: bool) -> Result<Histogram<u64>> {
        let mut took = peers::histogram()?;
        match self {
            Self::Raw(call) if busy => under_raw_bulk(|| call(calls, &mut took))?,
            Self::Raw(call) => call(calls, &mut took)?,
            Self::Ours(end) => {
                let (ics, took) = (&end.ics, &mut took);
                let calling = ours::call(ics, Priority::HIGHEST, calls, took);
                end.runtime.block_on(async {
                    if !busy {
                        return calling.await;
                    }
                    let bulk = ics.clone();
                    let streaming = tokio::spawn(async move {
                        loop {
                            if let Err(error) = ours::send(&bulk, STREAM).await {
                                return error;
                            }
                        }
                    });
                    // It has to be under way.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    let called = calling.await;
                    if streaming.is_finished() {
                        return Err(streaming.await?.context("the stream"));
                    }
                    streaming.abort();
                    called
                })?;
            }
        }
        Ok(took)
    }
}

/// Another connection of the same kind carries the stream: what a program would do by
/// itself.
fn under_raw_bulk(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        let streaming = scope.spawn(move || -> Result<()> {
            let mut send: Sends = raw::sends()?;
            while !stop.load(Ordering::Relaxed) {
                send(STREAM / 8)?;
            }
            Ok(())
        });
        thread::sleep(std::time::Duration::from_millis(20));
        let done = work();
        stop.store(true, Ordering::Relaxed);
        let streamed = streaming.join();
        streamed.map_err(|_| anyhow!("the stream's thread panicked"))??;
        done
    })
}

pub(super) fn run(pair: &Pair, options: Options, progress: &Progress) -> Result<Vec<Section>> {
    progress.says("connecting everybody");
    let mut targets = vec![(
        "priority-raw",
        "two connections of raw TCP: calls on one, a stream on the other",
        Target::Raw(raw::calls()?),
        None,
    )];
    for (name, about, kind) in [
        (
            "priority",
            "ssi, plain: calls of the highest priority",
            Kind::None,
        ),
        (
            "priority-tls",
            "ssi, TLS: calls of the highest priority",
            Kind::Tls,
        ),
    ] {
        let end = Target::Ours(ours::end(pair, kind)?);
        targets.push((name, about, end, Some(BAR)));
    }
    let mut seen: Vec<[Vec<Histogram<u64>>; 2]> = vec![Default::default(); targets.len()];
    progress.begin(2 * options.rounds * targets.len(), "priority");
    for place in turns(options.rounds, targets.len()) {
        let (name, _, target, _) = &mut targets[place];
        for (seen, busy) in seen[place].iter_mut().zip([false, true]) {
            seen.push(target.calls(options.calls, busy).context(*name)?);
            progress.step(name);
        }
    }
    let sections = targets.iter().zip(seen);
    sections
        .map(|((name, about, _, bar), seen)| section(name, about, *bar, &seen))
        .collect()
}

fn section(
    name: &'static str,
    about: &str,
    bar: Option<f64>,
    seen: &[Vec<Histogram<u64>>; 2],
) -> Result<Section> {
    let row = |name: &str, seen: &[Histogram<u64>], bar| -> Result<Row> {
        let p99 = seen.iter().map(|took| took.value_at_quantile(0.99));
        Ok(Row {
            name: name.to_owned(),
            samples: p99.map(|nanos| nanos as f64 / 1e3).collect(),
            bar,
            latency: Some(all(seen)?),
            errors: 0,
        })
    };
    let bar = bar.map(|value| Bar::RatioAtMost { value });
    Ok(Section {
        name,
        about: format!("{about}, 99 of 100 of a round are shorter"),
        unit: "µs",
        better: Better::Less,
        base: Base::First,
        rows: vec![
            row("idle", &seen[0], None)?,
            row("beside a stream", &seen[1], bar)?,
        ],
    })
}
