//! Real processes on this kernel. Needs root, BPF and BTF.
//!
//! This program is also the processes that are looked at: `actor.rs`.

mod actor;
mod away;
mod herd;
mod life;
mod namespace;
mod same;
mod watch;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A test: its name, and what it does.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    if let Some(part) = actor::part() {
        return actor::play(&part);
    }
    let tests: &[&[Test]] = &[
        life::TESTS,
        namespace::TESTS,
        same::TESTS,
        away::TESTS,
        herd::TESTS,
    ];
    let trials = tests
        .concat()
        .into_iter()
        .map(|(name, test)| Trial::test(name, move || caught(test)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn caught(test: fn()) -> Result<(), libtest_mimic::Failed> {
    std::panic::catch_unwind(test).map_err(|_| "it panicked, as said above".into())
}
