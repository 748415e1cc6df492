//! Starting many processes at once.

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Options;
use super::herd::Herd;
use super::news::{News, now};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::scratch::Scratch;

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let scratch = Scratch::new("keepalive")?;
    let count = options.started;
    let rounds = options.rounds.div_ceil(4).max(1);
    progress.begin(rounds * 2, "start");
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let folder = scratch.path().join(format!("round{round}"));
        std::fs::create_dir(&folder)?;
        let mut turns = [true, false];
        if round % 2 == 1 {
            turns.reverse();
        }
        for bare in turns {
            let mut news = News::new(&folder, if bare { "bare" } else { "first" })?;
            if bare {
                floor.push(bare_spawns(&mut news, count)?);
            } else {
                ours.push(supervised(&mut news, &folder.join("herd"), count)?);
            }
            progress.step(if bare { "bare" } else { "ssi" });
        }
    }
    let row = |name: &str, values: Vec<f64>, bar| Row {
        name: name.to_owned(),
        samples: values.into_iter().collect(),
        bar,
        latency: None,
        errors: 0,
    };
    Ok(vec![Section {
        name: "start",
        about: format!(
            "{count} processes are started, one after the other: until the last one's first \
             instruction"
        ),
        unit: "ms",
        better: Better::Less,
        base: Base::First,
        rows: vec![
            row("fork and exec", floor, None),
            row("ssi", ours, Some(Bar::RatioAtMost { value: 2.0 })),
        ],
    }])
}

fn bare_spawns(news: &mut News, count: u32) -> Result<f64> {
    let before = now()?;
    let mut children = Vec::new();
    for _ in 0..count {
        children.push(std::process::Command::new(&news.program).spawn()?);
    }
    let last = last(news, count)?;
    for child in &mut children {
        child.kill()?;
        child.wait()?;
    }
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
