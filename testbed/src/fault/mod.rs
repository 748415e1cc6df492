//! Faults: what the networks of a cluster do to it, and what happens to its processes.

mod rules;

use std::fmt;
use std::fs;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::plan::{Machine, Net, SWITCH};
use crate::state::{self, State};
use crate::{cgroup, tool};

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
        let nets = self
            .on
            .nets()
            .iter()
            .map(|net| net.interface())
            .collect::<Vec<_>>()
            .join("+");
        let percent = f64::from(self.lost) / 100.0;
        write!(
            f,
            "{} → {}: {percent} % lost on {nets}",
            side(&self.from),
            side(&self.to)
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

/// Ends every fault of the networks, and lets paused nodes go on.
///
/// # Errors
/// `nft` failed.
pub fn heal(state: &mut State) -> Result<()> {
    enforce(&[])?;
    for machine in state.nodes().collect::<Vec<_>>() {
        pause(state, machine, false)?;
        for net in Net::ALL {
            // There is none, mostly.
            let _ = tool::run(
                "tc",
                &[
                    "-n",
                    SWITCH,
                    "qdisc",
                    "del",
                    "dev",
                    &net.port(machine),
                    "root",
                ],
            );
        }
    }
    state.faults.clear();
    state::save(state)
}

/// Makes these the faults in force.
///
/// # Errors
/// `nft` failed.
pub fn enforce(faults: &[Fault]) -> Result<()> {
    let rules = rules::of(faults);
    tool::feed("ip", &["netns", "exec", SWITCH, "nft", "-f", "-"], &rules).map(drop)
}

/// Delays everything that a node receives.
///
/// # Errors
/// The kernel has no netem.
pub fn delay(machine: Machine, milliseconds: u32, on: On) -> Result<()> {
    for net in on.nets() {
        let (port, delay) = (net.port(machine), format!("{milliseconds}ms"));
        let command = [
            "-n", SWITCH, "qdisc", "replace", "dev", &port, "root", "netem", "delay", &delay,
        ];
        tool::run("tc", &command).with_context(|| {
            "this kernel cannot delay packets: it lacks netem (CONFIG_NET_SCH_NETEM); loss, cut, partition and pause work without it"
        })?;
    }
    Ok(())
}

/// Stops every process of a machine where it is, or lets them all go on.
///
/// # Errors
/// The machine is not up.
pub fn pause(state: &State, machine: Machine, paused: bool) -> Result<()> {
    let init = state
        .init_of(machine)
        .with_context(|| format!("{machine} is not up"))?;
    if cgroup::freeze(machine, paused) {
        return Ok(());
    }
    let signal = if paused {
        Signal::SIGSTOP
    } else {
        Signal::SIGCONT
    };
    for pid in processes(init) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(pid), signal);
    }
    Ok(())
}

/// Kills the processes of a machine that have this name, with signal 9.
///
/// # Errors
/// There is none.
pub fn kill_named(state: &State, machine: Machine, name: &str) -> Result<usize> {
    let init = state
        .init_of(machine)
        .with_context(|| format!("{machine} is not up"))?;
    let named = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    let found: Vec<_> = processes(init).into_iter().filter(named).collect();
    if found.is_empty() {
        bail!("{machine} has no process named \"{name}\"");
    }
    for pid in &found {
        let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
    }
    Ok(found.len())
}

/// The processes in the process namespace of a machine's init.
fn processes(init: i32) -> Vec<i32> {
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let wanted = namespace(init);
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| wanted.is_some() && namespace(*pid) == wanted)
        .collect()
}
