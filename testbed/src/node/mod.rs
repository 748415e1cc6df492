//! A machine: its namespaces, and the init that lives in them.

pub mod cradle;
mod find;
pub mod init;
mod mounts;
pub mod supervise;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub use find::{inits, machine_of_init};
pub use mounts::{PROGRAMS, TREE};

use crate::plan::Machine;
use crate::state::{self, directory};
use crate::{cgroup, network};

/// What init is told, as one argument.
pub const INIT: &str = "init";
/// The step between the launcher and init.
pub const CRADLE: &str = "cradle";
/// What init says once the machine is up.
const READY: &str = "ready";
/// How long dead processes may take to go: some hold much memory.
const DYING: Duration = Duration::from_secs(5);

/// Where our programs are, for machines to find them.
///
/// # Errors
/// The system does not say where this program is.
pub fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where is this program?")?;
    Ok(own
        .parent()
        .context("this program is in no folder")?
        .to_owned())
}

/// Starts a machine whose network is there already; the process id of its init.
///
/// # Errors
/// It did not come up; the error has the end of its console log.
pub fn boot(machine: Machine, daemon: bool) -> Result<i32> {
    let directory = directory(machine);
    fs::create_dir_all(&directory)?;
    cgroup::make(machine);
    let log = File::options()
        .create(true)
        .append(true)
        .open(state::log(machine))?;
    let output = Command::new(std::env::current_exe()?)
        .args([
            CRADLE,
            &machine.host().to_string(),
            if daemon { "ssid" } else { "-" },
        ])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .output()
        .context("cannot start this program again")?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim()
        .parse()
        .map_err(|_| anyhow!("{machine} did not come up: {}", state::log_end(machine)))
}

/// The machine of a host number as [`Machine::host`] gives it.
fn machine_of(host: &str) -> Result<Machine> {
    if host == Machine::Client.host().to_string() {
        return Ok(Machine::Client);
    }
    host.parse()
}

/// Kills everything of these machines at once, and removes what is left of them.
pub fn crash(machines: &[Machine]) {
    kill_all(machines);
    for machine in machines {
        network::pull_out(*machine);
        cgroup::remove(*machine);
    }
}

/// Kills everything of these machines at once.
pub fn kill_all(machines: &[Machine]) {
    // The cables first: a killed process's sockets are closed by its kernel, which would
    // tell the other side. A real machine's kernel is as dead as its processes.
    network::unplug(machines);
    for machine in machines {
        cgroup::kill(*machine);
    }
    let living = || {
        let mut all = inits();
        all.retain(|(machine, _)| machines.contains(machine));
        all
    };
    for (_, init) in living() {
        // It may be dead already.
        let _ = kill(Pid::from_raw(init), Signal::SIGKILL);
    }
    let end = Instant::now() + DYING;
    while !living().is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
}
