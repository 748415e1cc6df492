//! Membership under a virtual clock: whole clusters with the real engines and the real
//! view log, on a network and on machines that fail as a seed says.
//!
//! `SSI_SIM=crash:17` runs one seed of one scenario again and says what happens in it;
//! with `SSI_SIM_MESSAGES=1`, every message too.
//! `SSI_SIM_SEEDS=10` runs ten times as many seeds of each.
//! `SSI_SIM_HOUR=1` makes each fault go on for an hour of virtual time, with 15 hosts, one
//! seed each.

mod clock;
mod fencing;
mod host;
mod invariants;
mod life;
mod links;
mod mishaps;
mod scenarios;
mod seats;
mod town;
mod traffic;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

use crate::scenarios::{ALL, Scenario, TYPICAL};
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
        .filter(|scenario| !hour() || scenario.hourly)
        .map(|scenario| {
            let seeds = more * if hour() { 1 } else { scenario.seeds };
            let name = format!("{}, {seeds} seeds", scenario.name);
            Trial::test(name, move || many(scenario, seeds))
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
    match one(scenario, seed, true, &Mutex::default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            println!("{}:{seed}: {what}", scenario.name);
            ExitCode::FAILURE
        }
    }
}

/// Whether each fault is to go on for an hour.
fn hour() -> bool {
    std::env::var_os("SSI_SIM_HOUR").is_some()
}

/// How long things took, by what they were.
type Spans = BTreeMap<&'static str, Vec<Duration>>;

/// Runs one seed.
fn one(scenario: &Scenario, seed: u64, loud: bool, spans: &Mutex<Spans>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let scene = async {
        let hosts = if hour() { 15 } else { (scenario.hosts)(seed) };
        let mut town = Town::new(seed, hosts, loud);
        let ended = (scenario.run)(&mut town).await;
        if hour() && ended.is_ok() {
            println!("{} {seed}: {}", scenario.name, town.account());
        }
        let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, span) in town.spans {
            spans.entry(what).or_default().push(span);
        }
        ended
    };
    runtime.block_on(DeterministicRng::<TokioRuntime>::scope(seed, scene))
}

/// Runs seeds on all CPUs until one fails.
fn many(scenario: &'static Scenario, seeds: u64) -> Result<(), Failed> {
    let (next, spans) = (AtomicU64::new(1), Mutex::<Spans>::default());
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
                        if let Err(what) = one(scenario, seed, false, &spans) {
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
    let mut spans = spans.into_inner().unwrap_or_else(PoisonError::into_inner);
    spans.values_mut().for_each(|spans| spans.sort_unstable());
    show(&spans);
    match failed.or_else(|| too_long(&spans)) {
        None => Ok(()),
        Some(what) => Err(what.into()),
    }
}

/// One of sorted spans: so many of a hundred are no longer.
fn at(spans: &[Duration], part: usize) -> Duration {
    spans[(spans.len() - 1) * part / 100]
}

/// What typically takes longer than it may.
fn too_long(spans: &Spans) -> Option<String> {
    let mut limits = TYPICAL.iter();
    limits.find_map(|(what, limit)| {
        let typical = at(spans.get(what)?, 99);
        (typical > *limit).then(|| format!("{what}: {typical:?} is too long for 99 of 100"))
    })
}

/// Prints how long things took, in virtual time.
fn show(spans: &Spans) {
    for (what, spans) in spans {
        let at = |part| at(spans, part).as_millis();
        println!(
            "{what}: median {} ms, p99 {} ms, most {} ms, of {}",
            at(50),
            at(99),
            at(100),
            spans.len()
        );
    }
}
