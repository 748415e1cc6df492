//! Internode communication, side by side with what one would use in its place.
//!
//! Two processes, each in a network namespace of its own, on a CPU of its own as far as
//! there are two, joined by a veth pair. Everything that is compared has its turn in every
//! round, and each round begins with another.

mod bulk;
mod far;
mod nodedown;
mod pair;
mod peers;
mod priority;
mod rpc;

use anyhow::Result;

pub(crate) use far::serve;

use crate::args::IcsPart;
use crate::measure::Section;
use crate::progress::Progress;
use pair::Pair;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Calls of a turn.
    pub(crate) calls: usize,
    /// Bytes of a turn's stream.
    pub(crate) bytes: u64,
    /// Calls that are pending when a node goes down.
    pub(crate) pending: usize,
}

/// Measures these parts. Has to be called before this process has other threads: it goes to
/// a network namespace of its own.
pub(crate) fn run(
    wanted: impl Fn(IcsPart) -> bool,
    options: Options,
    sections: &mut Vec<Section>,
) -> Result<()> {
    let pair = Pair::start()?;
    let progress = Progress::new();
    if wanted(IcsPart::Rpc) {
        sections.extend(rpc::run(&pair, options, &progress)?);
    }
    if wanted(IcsPart::Bulk) {
        sections.push(bulk::run(&pair, options, &progress)?);
    }
    if wanted(IcsPart::Priority) {
        sections.extend(priority::run(&pair, options, &progress)?);
    }
    if wanted(IcsPart::Nodedown) {
        sections.push(nodedown::run(&pair, options, &progress)?);
    }
    Ok(())
}

/// Who has its turn: everybody in every round, and each round begins with another.
fn turns(rounds: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..rounds).flat_map(move |round| (0..count).map(move |place| (place + round) % count))
}
