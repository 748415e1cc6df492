//! What is running: a file, and a lock so that two commands don't change it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::fault::{Delay, Fault};
use crate::plan::Machine;

/// Where the testbed keeps everything.
pub const DIRECTORY: &str = "/run/ssi-testbed";

/// How a cluster was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// `auto`, `native`, `generic` or `tc`.
    pub mode: String,
    /// MTU of the interconnect, bytes.
    pub mtu: u32,
    /// Number of the node that founds the cluster, and so directs its addresses at first.
    pub director: u8,
    /// Whether nodes run `ssid`.
    pub daemon: bool,
    /// Whether what nodes say to each other goes around the network stack.
    pub bypass: bool,
}

/// A running cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How it was asked for.
    pub wish: Wish,
    /// Whether it was started to the end.
    pub complete: bool,
    /// The machines that are up: name → process id of its init.
    pub machines: BTreeMap<String, i32>,
    /// The nodes that were ever up.
    pub known: Vec<u8>,
    /// The faults of the networks in force.
    pub faults: Vec<Fault>,
    /// What nodes receive late.
    pub delays: Vec<Delay>,
    /// The machines whose processes are stopped.
    pub paused: BTreeSet<Machine>,
    /// The machines whose disks are full.
    pub full: BTreeSet<Machine>,
    /// Whether `/etc/ssi` was made for the nodes to mount theirs on.
    pub made_etc_ssi: bool,
}

impl State {
    /// The init of a machine, if the machine is up.
    #[must_use]
    pub fn init_of(&self, machine: Machine) -> Option<i32> {
        self.machines.get(&machine.name()).copied()
    }

    /// The nodes that are up.
    pub fn nodes(&self) -> impl Iterator<Item = Machine> {
        (1..=crate::plan::MOST)
            .map(Machine::Node)
            .filter(|m| self.init_of(*m).is_some())
    }
}

/// The testbed's directory of a machine.
#[must_use]
pub fn directory(machine: Machine) -> PathBuf {
    Path::new(DIRECTORY).join(machine.name())
}

/// Where every machine's disk is: a tmpfs, as an overlay's upper layer can't be on an
/// overlay, which a container's root may be.
#[must_use]
pub fn disks() -> PathBuf {
    Path::new(DIRECTORY).join("disks")
}

/// The bpffs that all nodes have in common, if they go around the network stack; at the same
/// place within them.
#[must_use]
pub fn shared() -> PathBuf {
    Path::new(DIRECTORY).join("bpf")
}

/// What a machine wrote to `/var`.
#[must_use]
pub fn disk(machine: Machine) -> PathBuf {
    disks().join(machine.name())
}

/// The last lines of a machine's console log.
#[must_use]
pub fn log_end(machine: Machine) -> String {
    let log = fs::read_to_string(log(machine)).unwrap_or_default();
    let end: Vec<_> = log.lines().rev().take(3).collect();
    end.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The console log of a machine.
#[must_use]
pub fn log(machine: Machine) -> PathBuf {
    directory(machine).join("console.log")
}

fn file() -> PathBuf {
    Path::new(DIRECTORY).join("state.json")
}

/// Held while a command changes the testbed.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

/// Takes the lock, waiting for another command to end.
///
/// # Errors
/// No rights.
pub fn lock() -> Result<Lock> {
    let path = Path::new(DIRECTORY).join("lock");
    loop {
        fs::create_dir_all(DIRECTORY)
            .with_context(|| format!("cannot make {DIRECTORY}; the testbed needs root"))?;
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let lock = match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => lock,
            Err((_, errno)) => bail!("cannot lock {}: {errno}", path.display()),
        };
        // Whoever held it may have been `stop`, which removes the file: then others lock
        // the next one.
        if fs::metadata(&path)
            .is_ok_and(|now| lock.metadata().is_ok_and(|ours| now.ino() == ours.ino()))
        {
            return Ok(Lock(lock));
        }
    }
}

/// The state, if a cluster is running. A file that can't be read is what a killed testbed
/// left: no cluster.
///
/// # Errors
/// It can't be opened for another reason than that it isn't there.
pub fn load() -> Result<Option<State>> {
    match fs::read(file()) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(format!("cannot read {}", file().display())),
    }
}

fn parse(bytes: &[u8]) -> Option<State> {
    serde_json::from_slice(bytes).ok()
}

/// The state of the running cluster.
///
/// # Errors
/// None is running.
pub fn running() -> Result<State> {
    load()?.context("no cluster is running; start one with: ssi-start")
}

/// Replaces the state in one step.
///
/// # Errors
/// It can't be written.
pub fn save(state: &State) -> Result<()> {
    let new = file().with_extension("new");
    let mut out = File::create(&new).with_context(|| new.display().to_string())?;
    out.write_all(&serde_json::to_vec_pretty(state)?)?;
    out.sync_all()?;
    fs::rename(&new, file()).with_context(|| file().display().to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state() -> State {
        State {
            wish: Wish {
                mode: "auto".into(),
                mtu: 1500,
                director: 1,
                daemon: true,
                bypass: false,
            },
            complete: true,
            machines: [("node1".to_owned(), 77)].into(),
            known: vec![1],
            faults: Vec::new(),
            delays: Vec::new(),
            paused: BTreeSet::new(),
            full: BTreeSet::new(),
            made_etc_ssi: false,
        }
    }

    proptest! {
        #[test]
        fn a_half_written_state_is_no_state(cut in 0_usize..10_000) {
            let whole = serde_json::to_vec_pretty(&state()).unwrap();
            let cut = cut % whole.len();
            prop_assert_eq!(parse(&whole[..cut]), None);
            prop_assert_eq!(parse(&whole), Some(state()));
        }
    }
}
