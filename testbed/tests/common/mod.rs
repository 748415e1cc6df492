//! A real cluster for the tests of one file: booted once, at the first test, and stopped
//! after the last. Between tests the virtual services go and the hosts stay.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses its own part of these helpers"
)]

pub mod binaries;
pub mod cluster;
pub mod disturb;
pub mod dns;
pub mod fragments;
pub mod host;
pub mod http;
pub mod load;
pub mod lvs;
pub mod netns;
pub mod pty;
pub mod role;
pub mod view;
pub mod web;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};

pub use cluster::Cluster;

/// A test: what it shows, in a few words, and how.
pub type Test = (&'static str, fn(&Cluster));

/// Runs `tests`, one after the other, in a cluster of `nodes` nodes.
pub fn main(nodes: u8, tests: &[Test]) -> ExitCode {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    if let Some(ended) = role::play() {
        return ended;
    }
    let trials = tests
        .iter()
        .map(|&(name, test)| {
            Trial::test(name, move || {
                let cluster = CLUSTER
                    .get_or_init(|| Cluster::boot(nodes))
                    .as_ref()
                    .map_err(|reason| format!("the cluster did not boot: {reason}"))?;
                run(cluster, test);
                Ok(())
            })
        })
        .collect();
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(Ok(cluster)) = CLUSTER.get() {
        cluster.stop();
    }
    conclusion.exit_code()
}

/// A failed test shows what the directors thought.
fn run(cluster: &Cluster, test: fn(&Cluster)) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        cluster.restore();
        cluster.clear();
        test(cluster);
    }));
    if let Err(panic) = outcome {
        eprintln!("{}", cluster.describe());
        resume_unwind(panic);
    }
}
