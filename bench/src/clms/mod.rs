//! Membership: `ssid` and others on the same machines of a testbed, one after the other.
//!
//! What counts is what all nodes see: a view is there when the last of them has it.

mod contender;
mod crash;
mod form;
mod idle;
mod leave;
mod site;
mod write;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::args::ClmsPart;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

/// Token timeouts that corosync is tuned to, milliseconds: for three nodes, and for more.
/// Below those it does not stay together on a machine that is busy.
const TUNED: (u16, u16) = (300, 400);

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Few and short turns.
    pub(crate) quick: bool,
    /// Sizes of clusters, the largest last.
    pub(crate) nodes: Vec<u8>,
    /// Without the others.
    pub(crate) alone: bool,
}

/// One figure, and what it is of.
struct Sample {
    name: String,
    value: f64,
}

impl Sample {
    fn new(name: String, value: f64) -> Self {
        Self { name, value }
    }
}

/// Measures a part.
pub(crate) fn run(part: ClmsPart, options: &Options, progress: &Progress) -> Result<Section> {
    let (name, about, unit, rows) = match part {
        ClmsPart::Crash => (
            "crash",
            "a node vanishes and nobody is told: until the last of the others has the view without it",
            "ms",
            crash::run(options, progress)?,
        ),
        ClmsPart::Leave => (
            "leave",
            "a node leaves in order: until the last of the others has the view without it",
            "ms",
            leave::run(options, progress)?,
        ),
        ClmsPart::Form => (
            "form",
            "machines become a cluster: until the last has the view with all",
            "ms",
            form::run(options, progress)?,
        ),
        ClmsPart::Write => (
            "write",
            "three nodes, the master crashes: longest time without a written change, by way of another node",
            "ms",
            write::run(options, progress)?,
        ),
        ClmsPart::Idle => (
            "idle",
            "bytes a second on the interconnect, of each node of an idle cluster",
            "B/s",
            idle::traffic(options, progress)?,
        ),
        ClmsPart::Memory => (
            "memory",
            "resident memory of the daemons of a node of an idle cluster",
            "MB",
            idle::memory(options, progress)?,
        ),
    };
    Ok(Section {
        name,
        about: about.to_owned(),
        unit,
        better: Better::Less,
        base: Base::None,
        rows,
    })
}

/// Whose turn it is: every round begins with another.
fn order(contenders: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..contenders).map(move |place| (place + round) % contenders)
}

/// Figures of the same name make a row, in the order in which the names came.
fn rows(samples: Vec<Sample>, bar: impl Fn(&str) -> Option<Bar>) -> Vec<Row> {
    let mut names = Vec::new();
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        if !names.contains(&sample.name) {
            names.push(sample.name.clone());
        }
        values.entry(sample.name).or_default().push(sample.value);
    }
    let row = |name: String| Row {
        samples: values
            .remove(&name)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        bar: bar(&name),
        latency: None,
        errors: 0,
        name,
    };
    names.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_name_are_one_row() {
        let samples = [("b", 1.0), ("a", 2.0), ("b", 3.0)];
        let samples = samples.map(|(name, value)| Sample::new(name.to_owned(), value));
        let rows = rows(samples.into(), |name| {
            (name == "b").then_some(Bar::WorstAtMost { value: 1.0 })
        });
        assert_eq!(rows[0].name, "b");
        assert_eq!(rows[0].samples.values, [1.0, 3.0]);
        assert!(rows[0].bar.is_some() && rows[1].bar.is_none());
    }

    #[test]
    fn everybody_has_a_turn_in_every_round() {
        assert_eq!(order(3, 1).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(order(1, 5).collect::<Vec<_>>(), [0]);
    }
}
