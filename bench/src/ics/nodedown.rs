//! How long after a view without a node was installed the last call to it has failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use ssi_ics::core::CallError;
use ssi_ics::runner::{Ics, Reply};
use tokio::task::JoinSet;

use super::Options;
use super::pair::Pair;
use super::peers::ours::{self, Kind, OTHER};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

/// How long it is watched that no call fails before the view comes.
const BEFORE: Duration = Duration::from_millis(100);
/// Microseconds.
const BAR: f64 = 1000.0;

pub(super) fn run(pair: &Pair, options: Options, progress: &Progress) -> Result<Section> {
    progress.begin(options.rounds, "nodedown");
    let mut installed = Vec::new();
    let mut heard = Vec::new();
    for round in 0..options.rounds {
        let (view, last) = once(pair, options.pending, 2 * round as u64 + 2)?;
        installed.push(view.as_secs_f64() * 1e6);
        heard.push(last.as_secs_f64() * 1e6);
        progress.step("ssi, plain");
    }
    let bar = Some(Bar::AtMost {
        value: BAR,
        scaled: BAR,
    });
    let row = |name: &str, samples: Vec<f64>, bar| Row {
        name: name.to_owned(),
        samples: samples.into_iter().collect(),
        bar,
        latency: None,
        errors: 0,
    };
    Ok(Section {
        name: "nodedown",
        about: format!(
            "{} calls are pending when a view comes without the node: until it is installed, by \
             when all have failed; and until the last of as many tasks has heard",
            options.pending
        ),
        unit: "µs",
        better: Better::Less,
        base: Base::None,
        rows: vec![
            row("view installed", installed, bar),
            row("last task", heard, None),
        ],
    })
}

async fn pending_calls(ics: &Ics, count: usize) -> Result<Vec<Reply>> {
    let mut calls = Vec::with_capacity(count);
    for _ in 0..count {
        calls.push(ics.call(OTHER, "never", 0, Bytes::new()).send().await?);
    }
    Ok(calls)
}

fn once(pair: &Pair, pending: usize, epoch: u64) -> Result<(Duration, Duration)> {
    let end = ours::end(pair, Kind::None)?;
    end.runtime.block_on(async {
        let ics = &end.ics;
        let view = |epoch, up| ours::view(&pair.settings, Kind::None, epoch, up);
        let calls = pending_calls(ics, pending).await?;
        let mut waiting: JoinSet<_> = calls
            .into_iter()
            .map(|call| async { (call.wait().await, Instant::now()) })
            .collect();
        if let Ok(early) = tokio::time::timeout(BEFORE, waiting.join_next()).await {
            bail!("a call ended before the view came: {early:?}");
        }
        let counted = ics.report().peers[&OTHER].stats.pending;
        ensure!(counted == pending as u64, "{counted} calls are pending");
        let start = Instant::now();
        ics.peers(view(epoch, None));
        let installed = start.elapsed();
        let down = CallError::NodeDown { node: OTHER, epoch };
        let mut last = start;
        while let Some(ended) = waiting.join_next().await {
            let (ended, when) = ended?;
            last = last.max(when);
            ensure!(
                ended == Err(down.clone()),
                "a call ended otherwise: {ended:?}"
            );
        }
        let heard = last - start;
        ics.peers(view(epoch + 1, Some(OTHER)));
        ours::connected(ics).await?;
        Ok((installed, heard))
    })
}
