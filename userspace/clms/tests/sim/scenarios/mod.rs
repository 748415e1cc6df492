//! What goes wrong. One file each.

mod crash;
mod deaf;
mod flap;
mod form;
mod loss;
mod many;
mod master;
mod partition;
mod pause;
mod restart;

use std::pin::Pin;
use std::time::Duration;

use crate::town::Town;

/// What happens in a scenario.
pub(crate) type Story<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// A scenario: what it is called, which sizes it is tried with, and what happens in it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Seeds that CI runs.
    pub(crate) seeds: u64,
    /// Hosts, by seed.
    pub(crate) hosts: fn(u64) -> usize,
    pub(crate) run: for<'a> fn(&'a mut Town) -> Story<'a>,
}

/// 3 to 15 hosts.
const fn few(seed: u64) -> usize {
    3 + (seed % 13) as usize
}

macro_rules! scenarios {
    ($($name:ident, $seeds:literal, $hosts:expr;)+) => {
        /// All of them.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name),
            seeds: $seeds,
            hosts: $hosts,
            run: |town| Box::pin($name::run(town)),
        }),+];
    };
}

scenarios! {
    form, 60, |seed| 1 + (seed % 15) as usize;
    crash, 200, few;
    master, 150, few;
    restart, 150, few;
    pause, 150, few;
    partition, 150, few;
    deaf, 100, few;
    loss, 40, few;
    flap, 20, few;
    many, 4, |seed| [100, 200, 500, 1_000, 2_000][seed as usize % 5];
}

/// Milliseconds.
pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
