//! Supervision: what restarting, starting, taking over and watching processes costs.
//!
//! Everything that is compared has its turn in every round.

mod adopt;
mod bare;
mod contender;
mod far;
mod herd;
mod load;
mod memory;
mod news;
mod program;
mod restart;
mod start;

use anyhow::Result;

pub(crate) use far::supervise;

use crate::args::KeepalivePart;
use crate::measure::Section;
use crate::progress::Progress;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Processes that are started at once.
    pub(crate) started: u32,
    /// Processes that are watched, and taken over.
    pub(crate) watched: u32,
    /// Without the others.
    pub(crate) alone: bool,
}

pub(crate) fn run(
    part: KeepalivePart,
    options: Options,
    progress: &Progress,
) -> Result<Vec<Section>> {
    match part {
        KeepalivePart::Restart => restart::run(options, progress),
        KeepalivePart::Start => start::run(options, progress),
        KeepalivePart::Memory => memory::run(options, progress),
        KeepalivePart::Adopt => adopt::run(options, progress),
    }
}
