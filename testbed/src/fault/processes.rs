//! Faults of a machine's processes.

use std::fs;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cgroup;
use crate::plan::Machine;
use crate::state::{self, State};

pub(super) fn init_of(state: &State, machine: Machine) -> Result<i32> {
    let init = state.init_of(machine);
    init.with_context(|| format!("{machine} is not up; `ssi-testbed status` shows who is"))
}

/// Stops every process of a machine where it is, or lets them all go on.
///
/// # Errors
/// The machine is not up.
pub fn pause(state: &mut State, machine: Machine, paused: bool) -> Result<()> {
    let init = init_of(state, machine)?;
    if !cgroup::freeze(machine, paused) {
        let signal = if paused {
            Signal::SIGSTOP
        } else {
            Signal::SIGCONT
        };
        for pid in processes(init) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
    if paused {
        state.paused.insert(machine);
    } else {
        state.paused.remove(&machine);
    }
    state::save(state)
}

/// Kills the processes of a machine that have this name, with signal 9; how many.
///
/// # Errors
/// There is none.
pub fn kill_named(state: &State, machine: Machine, name: &str) -> Result<usize> {
    let found = named(init_of(state, machine)?, name);
    if found.is_empty() {
        bail!("{machine} has no process named \"{name}\"");
    }
    for pid in &found {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
    }
    Ok(found.len())
}

/// The processes of this name on the machine of an init, as `ps -o comm` shows names.
#[must_use]
pub fn named(init: i32, name: &str) -> Vec<i32> {
    let comm = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm"));
    let mut all = processes(init);
    all.retain(|pid| comm(pid).is_ok_and(|comm| comm.trim_end() == name));
    all
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
