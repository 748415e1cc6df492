//! A command on another node, there and back: against one that is run here, and against ssh
//! over a connection that is there already.

mod near;
mod ssh;

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;

pub(crate) use near::measure as near;

use crate::args::RexecPart;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;
use crate::testbed::{start, testbed};

/// From which node to which.
const NEAR: &str = "1";
const FAR: u16 = 2;

/// Who runs `true`, in the order in which rows are shown.
const WHO: [&str; 3] = [
    "fork and exec here, and an ICS round trip",
    "onnode",
    "ssh, connection kept",
];

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Commands of each in a round, one after the other.
    pub(crate) commands: usize,
    /// Commands at once.
    pub(crate) many: usize,
}

/// Nanoseconds that each command took, or all that ran at once: of each round, of each who.
pub(crate) type Took = Vec<[Vec<u64>; WHO.len()]>;

/// Boots two nodes, measures, and stops them.
pub(crate) fn run(
    parts: &[RexecPart],
    options: Options,
    progress: &Progress,
    sections: &mut Vec<Section>,
) -> Result<()> {
    progress.says("booting two nodes");
    let _running = start(2, &[])?;
    progress.says("starting sshd on one of them");
    ssh::serve()?;
    for part in parts {
        sections.push(match part {
            RexecPart::Command => {
                progress.says("one command, and another's");
                section(&took(options.rounds, options.commands, 1, 1)?, &COMMAND)?
            }
            RexecPart::Series => {
                progress.says("one command after the other");
                let (rounds, commands) = (options.rounds, options.commands);
                section(&took(rounds, commands, commands, 1)?, &SERIES)?
            }
            RexecPart::Many => {
                progress.says("many commands at once");
                let rounds = options.rounds.div_ceil(3);
                section(&took(rounds, 1, 1, options.many)?, &MANY)?
            }
        });
    }
    Ok(())
}

fn took(rounds: usize, commands: usize, in_a_row: usize, at_once: usize) -> Result<Took> {
    let numbers = [rounds, commands, in_a_row, at_once].map(|number| number.to_string());
    let mut near = vec!["exec", NEAR, "ssi-bench", "rexec-near"];
    near.extend(numbers.iter().map(String::as_str));
    let said = testbed(&near, "")?;
    let took: Took = serde_json::from_str(&said).context("what was measured on the node")?;
    if took.len() != rounds {
        bail!("{} rounds were measured, not {rounds}", took.len());
    }
    Ok(took)
}

/// What is different in the sections.
struct About {
    name: &'static str,
    about: &'static str,
    /// Of the median ratio to the first row.
    bar: Option<f64>,
}

const COMMAND: About = About {
    name: "command",
    about: "`true`, from just before it is asked for until its status is there; in turns, by fork \
            and exec, the median of a round. Both nodes share this machine's processors",
    bar: Some(3.0),
};
const SERIES: About = About {
    name: "series",
    about: "the same by posix_spawn, many of one right after the other before it is another's \
            turn: what is made ready for the next command is made meanwhile",
    bar: None,
};
const MANY: About = About {
    name: "many",
    about: "many `true` at once, until the last status is there; ten at a time over ssh, which \
            allows no more on a connection",
    bar: None,
};

fn section(took: &Took, about: &About) -> Result<Section> {
    let mut rows = Vec::new();
    for (which, name) in WHO.into_iter().enumerate() {
        let mut latency = Histogram::new(3)?;
        let mut medians = Vec::new();
        for round in took {
            let mut one = Histogram::<u64>::new(3)?;
            for nanos in &round[which] {
                one.record(*nanos)?;
            }
            medians.push(one.value_at_quantile(0.5) as f64 / 1e3);
            latency.add(one)?;
        }
        rows.push(Row {
            name: name.to_owned(),
            samples: medians.into_iter().collect(),
            bar: match which {
                1 => about.bar.map(|value| Bar::RatioAtMost { value }),
                2 => Some(Bar::WorseThan { than: WHO[1] }),
                _ => None,
            },
            latency: Some(latency),
            errors: 0,
        });
    }
    Ok(Section {
        name: about.name,
        about: about.about.to_owned(),
        unit: "µs",
        better: Better::Less,
        base: Base::First,
        rows,
    })
}
