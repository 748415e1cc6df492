//! Membership under a virtual clock: whole clusters with the real engines and the real
//! view log, on a network and on machines that fail as a seed says.
//!
//! `SSI_SIM=crash:17` runs one seed of one scenario again and says what happens in it;
//! with `SSI_SIM_MESSAGES=1`, every message too.
//! `SSI_SIM_SEEDS=10` runs ten times as many seeds of each.

mod clock;
mod host;
mod invariants;
mod life;
mod links;
mod scenarios;
mod seats;
mod town;
mod world;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

use crate::scenarios::{ALL, Scenario};
use crate::town::Town;

fn main() -> ExitCode {
    if let Ok(wanted) = std::env::var("SSI_SIM") {
        return again(&wanted);
    }
    let more: u64 = std::env::var("SSI_SIM_SEEDS")
        .ok()
        .and_then(|more| more.parse().ok())
        .unwrap_or(1);
    let trials = ALL
        .iter()
        .map(|scenario| {
            let name = format!("{}, {} seeds", scenario.name, scenario.seeds * more);
            Trial::test(name, move || many(scenario, scenario.seeds * more))
        })
        .collect();
    let mut arguments = Arguments::from_args();
    // Each trial uses all CPUs by itself.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a seed again, loudly.
fn again(wanted: &str) -> ExitCode {
    let found = wanted.split_once(':').and_then(|(name, seed)| {
        let scenario = ALL.iter().find(|scenario| scenario.name == name)?;
        Some((scenario, seed.parse().ok()?))
    });
    let Some((scenario, seed)) = found else {
        let names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        eprintln!("SSI_SIM={wanted}: SCENARIO:SEED is wanted, scenarios are {names:?}");
        return ExitCode::from(2);
    };
    match one(scenario, seed, true) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            println!("{}:{seed}: {what}", scenario.name);
            ExitCode::FAILURE
        }
    }
}

/// Runs one seed.
fn one(scenario: &Scenario, seed: u64, loud: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let scene = async {
        let mut town = Town::new(seed, (scenario.hosts)(seed), loud);
        (scenario.run)(&mut town).await
    };
    runtime.block_on(DeterministicRng::<TokioRuntime>::scope(seed, scene))
}

/// Runs seeds on all CPUs until one fails.
fn many(scenario: &'static Scenario, seeds: u64) -> Result<(), Failed> {
    let next = AtomicU64::new(1);
    let cpus = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let failed: Option<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cpus)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > seeds {
                            return None;
                        }
                        if let Err(what) = one(scenario, seed, false) {
                            next.store(u64::MAX / 2, Ordering::Relaxed);
                            let name = scenario.name;
                            return Some(format!(
                                "{name}:{seed}: {what}\nagain: SSI_SIM={name}:{seed} cargo test -p ssi-clms --test sim"
                            ));
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Some("it panicked".to_owned()))
            })
            .next()
    });
    failed.map_or(Ok(()), |what| Err(what.into()))
}
