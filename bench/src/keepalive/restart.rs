//! From just before a process is killed until the first instruction of its replacement.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Options;
use super::contender::{self, Contender};
use super::load::Load;
use super::news::{Born, News, now};
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::scratch::Scratch;

const FLOOR: &str = "posix_spawn";
const OURS: &str = "ssi";
/// Whoever ran for so long is restarted at once by those that can.
const LIFE: u64 = 1_200_000_000;

struct Runner {
    contender: Box<dyn Contender>,
    news: News,
    last: Born,
}

impl Runner {
    fn start(contender: Box<dyn Contender>, folder: &Path) -> Result<Self> {
        let name = contender.name();
        let folder = folder.join(name.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        std::fs::create_dir_all(&folder)?;
        let mut news = News::new(&folder, "first")?;
        let mut contender = contender;
        contender.start(&folder, &news).context(name)?;
        let last = news.next()?;
        Ok(Self {
            contender,
            news,
            last,
        })
    }

    /// Milliseconds.
    fn restart(&mut self) -> Result<f64> {
        let left = LIFE.saturating_sub(now()? - self.last.at);
        sleep(Duration::from_nanos(left));
        if self.news.within(Duration::ZERO)?.is_some() {
            bail!("{} has restarted it by itself", self.contender.name());
        }
        let pid = self.contender.outside(self.last.pid)?;
        let before = now()?;
        kill(Pid::from_raw(pid), Signal::SIGKILL)?;
        self.last = self.news.next()?;
        Ok((self.last.at - before) as f64 / 1e6)
    }
}

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let scratch = Scratch::new("keepalive")?;
    progress.says("starting supervisors");
    let mut runners = Vec::new();
    for contender in contender::all(options.alone)? {
        runners.push(Runner::start(contender, scratch.path())?);
    }
    progress.begin(options.rounds * runners.len() * 2, "restart");
    let mut sections = Vec::new();
    for (name, about, bar, loaded) in [
        (
            "restart",
            "from just before a process is killed until the first instruction of the next one",
            2.5,
            false,
        ),
        (
            "restart-loaded",
            "the same, beside two threads for each CPU that never sleep",
            5.0,
            true,
        ),
    ] {
        let load = loaded.then(Load::new);
        let mut taken = vec![Vec::new(); runners.len()];
        for round in 0..options.rounds {
            for place in 0..runners.len() {
                let which = (place + round) % runners.len();
                taken[which].push(runners[which].restart()?);
                progress.step(&runners[which].contender.name());
            }
        }
        drop(load);
        let rows = runners.iter().zip(taken).map(|(runner, taken)| {
            let name = runner.contender.name();
            let bar = match name.as_str() {
                FLOOR => None,
                OURS => Some(Bar::MedianAtMost { value: bar }),
                _ => Some(Bar::WorseThan { than: OURS }),
            };
            Row {
                name,
                samples: taken.into_iter().collect(),
                bar,
                latency: None,
                errors: 0,
            }
        });
        sections.push(Section {
            name,
            about: about.to_owned(),
            unit: "ms",
            better: Better::Less,
            base: Base::First,
            rows: rows.collect(),
        });
    }
    Ok(sections)
}
