//! A supervisor is killed, and the next one takes over all of its processes.

use anyhow::{Result, bail};
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
    let count = options.watched;
    let rounds = options.rounds.div_ceil(4).max(1);
    progress.says("starting processes");
    let mut news = News::new(scratch.path(), "first")?;
    let herd = Herd::new(scratch.path().join("herd"), &news, count)?;
    let mut supervisor = herd.supervisor()?;
    supervisor.go()?;
    let mut pids = Vec::new();
    for _ in 0..count {
        pids.push(news.next()?.pid);
    }
    // The supervisor has heard of the last one, too.
    std::thread::sleep(std::time::Duration::from_millis(500));
    progress.begin(rounds, "adopt");
    let mut taken = Vec::new();
    for round in 0..rounds {
        drop(supervisor);
        let before = now()?;
        supervisor = herd.supervisor()?;
        taken.push((now()? - before) as f64 / 1e6);
        supervisor.go()?;
        if news
            .within(std::time::Duration::from_millis(200))?
            .is_some()
        {
            bail!("a process was started anew though the old one is there");
        }
        // It is watched: whoever dies is there again.
        let which = round % pids.len();
        kill(Pid::from_raw(pids[which]), Signal::SIGKILL)?;
        pids[which] = news.next()?.pid;
        progress.step("taken over");
    }
    Ok(vec![Section {
        name: "adopt",
        about: format!(
            "a supervisor of {count} processes was killed: from the start of the next one until \
             it watches all of them"
        ),
        unit: "ms",
        better: Better::Less,
        base: Base::None,
        rows: vec![Row {
            name: "ssi".to_owned(),
            samples: taken.into_iter().collect(),
            bar: Some(Bar::MedianAtMost { value: 1000.0 }),
            latency: None,
            errors: 0,
        }],
    }])
}
