//! Starting many processes at once.

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Options;
use super::bare::Bare;
use super::herd::Herd;
use super::news::{News, now};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::scratch::Scratch;

/// Who starts them; the first is what the bar is about.
const WAYS: [(&str, Option<Bare>); 3] = [
    ("fork and exec", Some(Bare::Fork)),
    ("posix_spawn", Some(Bare::Spawn)),
    ("ssi", None),
];

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let scratch = Scratch::new("keepalive")?;
    let count = options.started;
    let rounds = options.rounds.div_ceil(4).max(1);
    progress.begin(rounds * WAYS.len(), "start");
    let mut took: [Vec<f64>; WAYS.len()] = Default::default();
    for round in 0..rounds {
        let folder = scratch.path().join(format!("round{round}"));
        std::fs::create_dir(&folder)?;
        for turn in 0..WAYS.len() {
            // Nobody always comes after the same one.
            let which = (turn + round) % WAYS.len();
            let (name, bare) = WAYS[which];
            let mut news = News::new(&folder, &format!("program{which}"))?;
            took[which].push(match bare {
                Some(bare) => bare_starts(bare, &mut news, count)?,
                None => supervised(&mut news, &folder.join("herd"), count)?,
            });
            progress.step(name);
        }
    }
    let rows = WAYS.into_iter().zip(took).map(|((name, bare), took)| Row {
        name: name.to_owned(),
        samples: took.into_iter().collect(),
        bar: bare.is_none().then_some(Bar::RatioAtMost { value: 2.0 }),
        latency: None,
        errors: 0,
    });
    Ok(vec![Section {
        name: "start",
        about: format!(
            "{count} processes are started, one after the other: until the last one's first \
             instruction"
        ),
        unit: "ms",
        better: Better::Less,
        base: Base::First,
        rows: rows.collect(),
    }])
}

fn bare_starts(how: Bare, news: &mut News, count: u32) -> Result<f64> {
    let before = now()?;
    let _started = how.start(&news.program, count)?;
    let last = last(news, count)?;
    Ok((last - before) as f64 / 1e6)
}

fn supervised(news: &mut News, folder: &std::path::Path, count: u32) -> Result<f64> {
    let herd = Herd::new(folder.to_owned(), news, count)?;
    let mut supervisor = herd.supervisor()?;
    let before = now()?;
    supervisor.go()?;
    let last = last(news, count)?;
    Ok((last - before) as f64 / 1e6)
}

/// When the last of so many began.
pub(super) fn last(news: &mut News, count: u32) -> Result<u64> {
    let mut last = 0;
    for _ in 0..count {
        let born = news.next()?;
        // It is there, and stays until it is killed.
        kill(Pid::from_raw(born.pid), None::<Signal>)?;
        last = last.max(born.at);
    }
    Ok(last)
}
