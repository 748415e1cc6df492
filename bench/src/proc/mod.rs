//! Processes: looking at all of them, hearing of their end, watching the run queue.
//!
//! Everything that is compared has its turn in every round.

mod exit;
mod herd;
mod scan;
mod switch;

use anyhow::Result;

pub(crate) use herd::lead as herd;

use crate::args::ProcPart;
use crate::measure::Section;
use crate::progress::Progress;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Processes that end in a round, for each way of hearing of it.
    pub(crate) exits: usize,
    /// Switches of a round.
    pub(crate) switches: u32,
}

pub(crate) fn run(part: ProcPart, options: Options, progress: &Progress) -> Result<Vec<Section>> {
    match part {
        ProcPart::Scan => scan::run(options, progress),
        ProcPart::Exit => exit::run(options, progress),
        ProcPart::Switch => switch::run(options, progress),
    }
}
