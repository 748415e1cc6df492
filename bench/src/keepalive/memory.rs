//! What watching many processes takes of memory.

use anyhow::Result;

use super::Options;
use super::herd::Herd;
use super::news::News;
use super::start::last;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::scratch::Scratch;

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let scratch = Scratch::new("keepalive")?;
    let count = options.watched;
    progress.begin(2, "memory");
    let mut news = News::new(scratch.path(), "first")?;
    let herd = Herd::new(scratch.path().join("herd"), &news, count)?;
    let mut supervisor = herd.supervisor()?;
    let before = supervisor.memory()?;
    supervisor.go()?;
    last(&mut news, count)?;
    progress.step("started");
    // What was only needed for starting them is let go of.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let started = supervisor.memory()?;
    drop(supervisor);
    let supervisor = herd.supervisor()?;
    let adopted = supervisor.memory()?;
    progress.step("taken over");
    let each = |all: u64| all.saturating_sub(before) as f64 / f64::from(count);
    let row = |name: &str, value: f64| Row {
        name: name.to_owned(),
        samples: [value].into_iter().collect(),
        bar: Some(Bar::AtMost {
            value: 2048.0,
            scaled: 2048.0,
        }),
        latency: None,
        errors: 0,
    };
    Ok(vec![Section {
        name: "memory",
        about: format!(
            "memory that nobody else has, over that of a supervisor of nothing, for each of \
             {count} processes"
        ),
        unit: "bytes",
        better: Better::Less,
        base: Base::None,
        rows: vec![
            row("started by it", each(started)),
            row("taken over by it", each(adopted)),
        ],
    }])
}
