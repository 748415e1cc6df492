//! Chaos: five nodes keep two hundred processes alive while nodes crash, `ssid` is killed and
//! stopped, networks fall apart and disks fill; and a witness outside sees every run.
//!
//! `SSI_SOAK_SECONDS` is how long it goes on (120), `SSI_CHAOS_SEED` makes the same things go
//! wrong as in an earlier run, which has printed it.

mod beat;
#[path = "../common/mod.rs"]
mod common;
mod errors;
mod faults;
mod invariants;
mod plan;
mod random;
mod services;
mod witness;

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::{Cluster, main as run, view};

use self::errors::Books;
use self::faults::{Faults, Journal};
use self::plan::{Plan, Step, plan};
use self::random::Random;
use self::services::{NODES, Services};

/// How long it goes on if nobody says, seconds.
const SECONDS: u64 = 120;

fn main() -> ExitCode {
    if let Some(ended) = beat::play() {
        return ended;
    }
    let ended = run(
        NODES,
        &[("nothing lost, nothing twice, no end missed", chaos)],
    );
    if ended == ExitCode::SUCCESS {
        witness::forget();
    }
    ended
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let said = env::var(name).ok()?;
    let number = said.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={said} is no number")))
}

fn chaos(cluster: &Cluster) {
    let seed = number("SSI_CHAOS_SEED").unwrap_or_else(beat::now);
    let seconds = number("SSI_SOAK_SECONDS").unwrap_or(SECONDS);
    println!("    SSI_CHAOS_SEED={seed}, {seconds} s");
    let (program, runs) = witness::begin();
    let services = Services::new(&program, &runs);
    let apply = ["ssi", "service", "apply", "--only", "-"];
    cluster.host(1).feed(&apply, services.text.as_bytes());
    let (_, took) = invariants::right(&services);
    println!("    {} instances run after {took:?}", services.places.len());
    let mut chaos = Chaos {
        services,
        random: Random::new(seed),
        journal: Journal::default(),
        books: Books::default(),
        slowest: Duration::ZERO,
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while Instant::now() < end {
        rounds += 1;
        chaos.round(rounds);
    }
    chaos.report(rounds);
    cluster.host(1).feed(&apply, b"");
}

/// How long after a disk has room again all is on it.
const WRITTEN: Duration = Duration::from_millis(1_500);

struct Chaos {
    services: Services,
    random: Random,
    journal: Journal,
    books: Books,
    /// The longest that it took until all was right.
    slowest: Duration,
}

impl Chaos {
    fn round(&mut self, round: u32) {
        let plan = plan(&mut self.random);
        println!("    round {round}");
        let mut faults = Faults::default();
        faults.carry_out(&plan, &mut self.journal);
        faults.end();
        if plan.iter().any(|(_, step)| matches!(step, Step::Fill(_))) {
            // What was noted while a disk was full is on it again then, and not before.
            thread::sleep(WRITTEN);
        }
        let all: Vec<u8> = (1..=NODES).collect();
        view::settled(&all);
        let (right, took) = invariants::right(&self.services);
        println!("           all is right {} ms later", took.as_millis());
        self.slowest = self.slowest.max(took);
        let lossy = lossy(&plan);
        let wrong = self
            .books
            .check(&self.services, &right, &self.journal, &lossy);
        assert!(
            wrong.is_empty(),
            "ends were missed: {}",
            invariants::shown(&wrong)
        );
    }

    fn report(&self, rounds: u32) {
        let (runs, _) = witness::runs();
        let all = || runs.values().flatten();
        let said = all()
            .filter(|run| invariants::in_words(run.end).is_some())
            .count();
        println!(
            "    {rounds} rounds, {} steps; {} runs, of which {said} ended by themselves and {} were killed; all was right at most {} ms after a round",
            self.journal.steps.len(),
            all().count(),
            self.journal.killed.len(),
            self.slowest.as_millis(),
        );
        let unseen = unseen();
        assert!(
            unseen.is_empty(),
            "ends that nobody saw: {}",
            invariants::shown(&unseen)
        );
    }
}

/// Nodes that crash while their disk is full: what they noted meanwhile is lost.
fn lossy(plan: &Plan) -> Vec<u8> {
    let crashed = |node: u8| plan.iter().any(|(_, step)| *step == Step::Crash(node));
    let full = plan.iter().filter_map(|(_, step)| match step {
        Step::Fill(node) => Some(*node),
        _ => None,
    });
    full.filter(|node| crashed(*node)).collect()
}

/// What the nodes logged of ends that they don't know.
fn unseen() -> Vec<String> {
    let mut lines = Vec::new();
    for node in 1..=NODES {
        let log = common::cluster::testbed(&["logs", &node.to_string()]).expect("its log");
        let of = log.lines().filter(|line| line.contains("nobody saw"));
        lines.extend(of.map(|line| format!("node {node}: {line}")));
    }
    lines
}
