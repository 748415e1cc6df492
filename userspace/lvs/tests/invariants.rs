//! Whatever comes: mutated packets thrown at the packet path, and what must hold of every
//! verdict. Needs root and BPF, as the packet tests do, and plays on their stage.
//!
//! The seed is printed when it fails; `SSI_SEED=… cargo test -p ssi-lvs --test invariants`
//! runs the same again. `SSI_WORLDS` says how many worlds are tried.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]
#![expect(
    dead_code,
    reason = "this uses only a part of what the packet tests are built of"
)]

#[path = "packets/bench.rs"]
mod bench;
#[path = "packets/builder/mod.rs"]
mod builder;
#[path = "packets/case.rs"]
mod case;
#[path = "invariants/check.rs"]
mod check;
#[path = "invariants/plan.rs"]
mod plan;
#[path = "packets/show.rs"]
mod show;
#[path = "packets/topology.rs"]
mod topology;
#[path = "packets/verify.rs"]
mod verify;
#[path = "packets/world.rs"]
mod world;

use std::cell::RefCell;
use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::bench::Bench;

#[test]
fn no_verdict_violates_an_invariant() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test loads BPF programs: run it as root"
    );
    let number = |name| {
        env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let seed: u64 = number("SSI_SEED").unwrap_or_else(|| {
        u64::from(
            rustix::process::getpid()
                .as_raw_nonzero()
                .get()
                .unsigned_abs(),
        ) ^ now()
    });
    let config = Config {
        cases: number("SSI_WORLDS").map_or(200, |worlds| worlds as u32),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let bench = RefCell::new(Bench::open(topology::enter()));
    let result = TestRunner::new_with_rng(config, rng).run(&plan::plan(), |plan| {
        check::play(&mut bench.borrow_mut(), &plan)
    });
    if let Err(error) = result {
        panic!("SSI_SEED={seed}\n{error}");
    }
}

fn now() -> u64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |time| time.as_nanos() as u64)
}
