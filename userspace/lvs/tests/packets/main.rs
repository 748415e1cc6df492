//! Packets through the packet path, one at a time, under `BPF_PROG_TEST_RUN`: what is
//! configured, a packet in, then verdict, packet and counters out, compared byte for byte.
//!
//! Needs root and BPF; everything happens in a network namespace of its own. Cases run
//! through both entries, XDP and tc, and are named `entry::topic::case`, so that
//! `cargo test -p ssi-lvs --test packets -- tc::nat` runs some of them.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

mod bench;
mod builder;
mod case;
mod cases;
mod run;
mod show;
mod topology;
mod verify;
mod world;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};

use crate::bench::Bench;

/// So many cases, each entry counted, there have to be.
const LEAST: usize = 120;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let cases = cases::all();
    let total: usize = cases.iter().map(|(_, case)| case.entries.len()).sum();
    assert!(total >= LEAST, "only {total} cases");
    if args.list {
        let nothing = |name| Trial::test(name, || Ok(()));
        let names = cases.iter().flat_map(|(topic, case)| names(topic, case));
        return libtest_mimic::run(&args, names.map(nothing).collect()).exit_code();
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("the packet tests load BPF programs: run them as root");
        return ExitCode::FAILURE;
    }
    let bench = Arc::new(Mutex::new(Bench::open(topology::enter())));
    let mut trials = Vec::with_capacity(total);
    for (topic, case) in cases {
        let case = Arc::new(case);
        for (entry, name) in case.entries.clone().into_iter().zip(names(topic, &case)) {
            let (bench, case) = (Arc::clone(&bench), Arc::clone(&case));
            trials.push(Trial::test(name, move || {
                let mut bench = bench.lock().unwrap_or_else(PoisonError::into_inner);
                run::run(&mut bench, &case, entry).map_err(Into::into)
            }));
        }
    }
    libtest_mimic::run(&args, trials).exit_code()
}

fn names(topic: &str, case: &case::Case) -> Vec<String> {
    let name = |entry: &case::Entry| format!("{entry:?}::{topic}::{}", case.name).to_lowercase();
    case.entries.iter().map(name).collect()
}
