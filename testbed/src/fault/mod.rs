//! Faults: what the networks of a cluster do to it, and what happens to its processes and disks.

pub(crate) mod disks;
mod processes;
mod rules;

use std::fmt;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

pub use disks::fill;
pub use processes::{kill_named, named, pause};

use crate::plan::{Machine, Net, SWITCH};
use crate::state::{self, State};
use crate::tool;

/// Which networks a fault is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The interconnect.
    #[default]
    Ic,
    /// The external network.
    Ext,
    /// Both.
    Both,
}

impl On {
    const fn nets(self) -> &'static [Net] {
        match self {
            Self::Ic => &[Net::Interconnect],
            Self::Ext => &[Net::External],
            Self::Both => &Net::ALL,
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.nets().iter().map(|net| net.interface()).collect();
        f.write_str(&names.join(" and "))
    }
}

/// A fault of a network, in force until healed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Senders, by host number; empty: everybody.
    pub from: Vec<u8>,
    /// Receivers, by host number; empty: everybody.
    pub to: Vec<u8>,
    /// How many of 10,000 frames are lost.
    pub lost: u32,
    /// Where.
    pub on: On,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |hosts: &[u8]| match hosts {
            [] => "everybody".to_owned(),
            hosts => hosts
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join(","),
        };
        let percent = f64::from(self.lost) / 100.0;
        write!(
            f,
            "{} → {}: {percent} % lost on {}",
            side(&self.from),
            side(&self.to),
            self.on
        )
    }
}

/// All of 10,000.
pub const ALL: u32 = 10_000;

/// Puts faults in force, besides those that are.
///
/// # Errors
/// `nft` failed; nothing has changed.
pub fn add(state: &mut State, faults: Vec<Fault>) -> Result<()> {
    let mut all = state.faults.clone();
    all.extend(faults);
    enforce(&all)?;
    state.faults = all;
    state::save(state)
}

/// Ends every fault of the networks and the disks, and lets paused machines go on.
///
/// # Errors
/// `nft` failed.
pub fn heal(state: &mut State) -> Result<()> {
    enforce(&[])?;
    state.faults.clear();
    for delay in std::mem::take(&mut state.delays) {
        for net in delay.on.nets() {
            let port = net.port(delay.machine);
            // The machine may be gone, and its port with it.
            let _ = tool::run("tc", &["-n", SWITCH, "qdisc", "del", "dev", &port, "root"]);
        }
    }
    for machine in state.paused.clone() {
        pause(state, machine, false)?;
    }
    for machine in state.full.clone() {
        fill(state, machine, false)?;
    }
    state::save(state)
}

/// Makes these the faults in force.
fn enforce(faults: &[Fault]) -> Result<()> {
    let rules = rules::of(faults);
    tool::feed("ip", &["netns", "exec", SWITCH, "nft", "-f", "-"], &rules).map(drop)
}

/// What a machine receives comes late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// The receiver.
    pub machine: Machine,
    /// How late, milliseconds.
    pub milliseconds: u32,
    /// Where.
    pub on: On,
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machine,
            milliseconds,
            on,
        } = self;
        write!(
            f,
            "everybody → {}: {milliseconds} ms late on {on}",
            machine.host()
        )
    }
}

/// Delays everything that a machine receives.
///
/// # Errors
/// The machine is not up, or the kernel has no netem.
pub fn delay(state: &mut State, delay: Delay) -> Result<()> {
    processes::init_of(state, delay.machine)?;
    for net in delay.on.nets() {
        let (port, time) = (net.port(delay.machine), format!("{}ms", delay.milliseconds));
        let command = [
            "-n", SWITCH, "qdisc", "replace", "dev", &port, "root", "netem", "delay", &time,
        ];
        tool::run("tc", &command).context(
            "this kernel cannot delay packets: it lacks netem (CONFIG_NET_SCH_NETEM); loss, cut, partition and pause work without it",
        )?;
    }
    state
        .delays
        .retain(|old| (old.machine, old.on) != (delay.machine, delay.on));
    state.delays.push(delay);
    state::save(state)
}

/// The faults in force, a line each.
#[must_use]
pub fn list(state: &State) -> Vec<String> {
    let faults = state.faults.iter().map(Fault::to_string);
    let delays = state.delays.iter().map(Delay::to_string);
    let paused = state
        .paused
        .iter()
        .map(|machine| format!("{machine} is paused"));
    let full = state.full.iter();
    let full = full.map(|machine| format!("the disk of {machine} is full"));
    faults.chain(delays).chain(paused).chain(full).collect()
}
