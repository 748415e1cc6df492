//! What goes wrong. One file each.

mod alone;
mod away;
mod crash;
mod deaf;
mod fenced;
mod flap;
mod form;
mod heir;
mod idle;
mod leave;
mod loss;
mod lossy;
mod many;
mod master;
mod pair;
mod partition;
mod pause;
mod power;
mod restart;
mod stalled;
mod witness;
mod young;

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
    /// Whether it is a fault that can go on for an hour.
    pub(crate) hourly: bool,
    /// Hosts, by seed.
    pub(crate) hosts: fn(u64) -> usize,
    pub(crate) run: for<'a> fn(&'a mut Town) -> Story<'a>,
}

/// 3 to 15 hosts.
const fn few(seed: u64) -> usize {
    3 + (seed % 13) as usize
}

macro_rules! scenarios {
    ($($name:ident, $seeds:literal, $hourly:literal, $hosts:expr;)+) => {
        /// All of them.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name),
            seeds: $seeds,
            hourly: $hourly,
            hosts: $hosts,
            run: |town| Box::pin($name::run(town)),
        }),+];
    };
}

scenarios! {
    form, 60, false, |seed| 1 + (seed % 15) as usize;
    young, 60, false, few;
    alone, 120, false, |seed| [1, 2, 3, 3, 5][seed as usize % 5];
    crash, 200, true, few;
    master, 150, true, few;
    restart, 150, true, few;
    away, 60, false, |seed| 5 + (seed % 11) as usize;
    leave, 60, false, few;
    heir, 60, false, |seed| 5 + (seed % 11) as usize;
    pause, 120, true, few;
    partition, 150, true, few;
    power, 100, false, |seed| [1, 2, 3, 5, 1 + (seed as usize / 5) % 15][seed as usize % 5];
    witness, 80, false, |seed| [2, 2, 3, 6][seed as usize % 4];
    pair, 120, false, |seed| [2, 2, 3, 6][seed as usize % 4];
    fenced, 60, false, few;
    stalled, 30, false, few;
    deaf, 100, true, few;
    loss, 24, true, few;
    lossy, 24, true, few;
    flap, 16, true, few;
    idle, 8, false, |_| 15;
    many, 4, false, |seed| [100, 200, 500, 1_000, 2_000][seed as usize % 5];
}

/// How long 99 of 100 times may take at most, by what is timed.
pub(crate) const TYPICAL: [(&str, Duration); 3] = [
    ("from a crash to a new view", ms(1_000)),
    ("from a crash of the master to a new view", ms(1_000)),
    ("from a crash of the master to the next", ms(700)),
];

/// Milliseconds.
pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
