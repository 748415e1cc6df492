//! What was planned is done to the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ssi_testbed::fault;
use ssi_testbed::plan::Machine;
use ssi_testbed::state;

use super::beat::now;
use super::common::disturb;
use super::plan::{Plan, Step};
use super::services::NODES;
use super::witness::{self, Run};

/// What was done, and when, in nanoseconds since boot.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) steps: Vec<(u64, Step)>,
    /// Runs that were killed.
    pub(crate) killed: Vec<Run>,
}

impl Journal {
    /// Whether a run was killed.
    pub(crate) fn has_killed(&self, run: &Run) -> bool {
        let mut killed = self.killed.iter();
        killed.any(|other| other.instance == run.instance && other.first == run.first)
    }
}

/// What is wrong as yet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    down: BTreeSet<u8>,
    stopped: BTreeSet<u8>,
}

impl Faults {
    /// Does it all, each step in its moment.
    pub(crate) fn carry_out(&mut self, plan: &Plan, journal: &mut Journal) {
        let start = Instant::now();
        for (at, step) in plan {
            thread::sleep((start + *at).saturating_duration_since(Instant::now()));
            println!("    {:>5} ms: {step}", start.elapsed().as_millis());
            journal.steps.push((now(), step.clone()));
            self.take(step, journal);
        }
    }

    fn take(&mut self, step: &Step, journal: &mut Journal) {
        match step {
            Step::Crash(node) => {
                if self.down.insert(*node) {
                    disturb::crash(&[*node]);
                    self.stopped.remove(node);
                }
            }
            Step::Kill(node) => signal(*node, Signal::SIGKILL),
            Step::Stop(node) => {
                if !self.down.contains(node) {
                    signal(*node, Signal::SIGSTOP);
                    self.stopped.insert(*node);
                }
            }
            Step::Go(node) => {
                if self.stopped.remove(node) {
                    signal(*node, Signal::SIGCONT);
                }
            }
            Step::Cut(nodes) => {
                let others = (1..=NODES).filter(|node| !nodes.contains(node));
                let list = |nodes: Vec<u8>| {
                    let words: Vec<String> = nodes.iter().map(u8::to_string).collect();
                    words.join(",")
                };
                let (one, other) = (
                    list(nodes.iter().copied().collect()),
                    list(others.collect()),
                );
                disturb::fault(&format!("partition {one} {other}"));
            }
            Step::Heal => self.heal(),
            Step::Fill(node) => disturb::fault(&format!("fill {node}")),
            Step::Empty(node) => disturb::fault(&format!("empty {node}")),
            Step::Murder(which) => journal.killed.extend(murder(which)),
        }
    }

    /// The cuts are over; full disks stay so.
    fn heal(&self) {
        let full = state::running().expect("a cluster").full;
        disturb::fault("heal");
        for machine in full {
            disturb::fault(&format!("fill {}", machine.word()));
        }
    }

    /// Nothing is wrong any more.
    pub(crate) fn end(&mut self) {
        for node in std::mem::take(&mut self.stopped) {
            signal(node, Signal::SIGCONT);
        }
        disturb::fault("heal");
        if !self.down.is_empty() {
            let down: Vec<u8> = std::mem::take(&mut self.down).into_iter().collect();
            disturb::boot(&down);
        }
    }
}

fn init_of(node: u8) -> Option<i32> {
    state::running()
        .expect("a cluster")
        .init_of(Machine::Node(node))
}

/// To a node's `ssid`, if it has one.
fn signal(node: u8, signal: Signal) {
    let init = init_of(node);
    for pid in init.map_or_else(Vec::new, |init| fault::named(init, "ssid")) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Kills main processes; their runs.
fn murder(which: &[u64]) -> Vec<Run> {
    let (all, seen) = witness::runs();
    let living: Vec<&Run> = all
        .values()
        .flatten()
        .filter(|run| run.runs(seen))
        .collect();
    let pids: BTreeMap<String, BTreeMap<u32, i32>> = (1..=NODES)
        .map(|node| (Machine::Node(node).name(), services_of(node)))
        .collect();
    let hit = |number: &u64| {
        let place = usize::try_from(*number).expect("64 bits") % living.len().max(1);
        let run = *living.get(place)?;
        let pid = *pids.get(&run.node)?.get(&run.pid)?;
        kill(Pid::from_raw(pid), Signal::SIGKILL).ok()?;
        Some(run.clone())
    };
    which.iter().filter_map(hit).collect()
}

/// The services that run on a node: their pids there, and here.
fn services_of(node: u8) -> BTreeMap<u32, i32> {
    let there = |pid: i32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("NSpid:"))?;
        line.split_whitespace().last()?.parse().ok()
    };
    let all = init_of(node).map_or_else(Vec::new, |init| fault::named(init, "beat"));
    all.into_iter()
        .filter_map(|pid| Some((there(pid)?, pid)))
        .collect()
}
