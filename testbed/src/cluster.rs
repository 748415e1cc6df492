//! Starting and stopping.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::fault::disks;
use crate::plan::{Machine, node};
use crate::state::{self, State, Wish, directory};
use crate::{config, form, leftovers, network, node as machine_room};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn interrupt(_signal: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From now on ^C is noticed between two machines, so that nothing is left half made.
///
/// # Errors
/// The system refused.
pub fn heed_interrupts() -> Result<()> {
    let action = SigAction::new(
        SigHandler::Handler(interrupt),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler only stores to an atomic.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

fn interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Boots nodes 1 to `nodes` and the client. `progress` hears of each machine that is up.
///
/// # Errors
/// A cluster is running already, or something could not be made; then nothing is left.
pub fn start(nodes: u8, wish: Wish, mut progress: impl FnMut(Machine)) -> Result<State> {
    node(nodes)?;
    let director = wish.director;
    if !(1..=nodes).contains(&director) {
        bail!(
            "node {director} is to direct the cluster's address, but there are nodes 1 to {nodes}"
        );
    }
    let _lock = state::lock()?;
    if let Some(running) = state::load()?.filter(alive) {
        let nodes = running.nodes().count();
        bail!(
            "a cluster of {nodes} nodes is running on this machine already, and there can be one; `ssi-stop` ends it, `ssi-add` adds nodes to it"
        );
    }
    leftovers::clean();
    let mut state = State {
        wish,
        complete: false,
        machines: BTreeMap::new(),
        known: (1..=nodes).collect(),
        faults: Vec::new(),
        delays: Vec::new(),
        paused: BTreeSet::new(),
        full: BTreeSet::new(),
        made_etc_ssi: make_etc_ssi()?,
    };
    let mut made = || -> Result<()> {
        state::save(&state)?;
        fs::create_dir_all(machine_room::TREE)
            .with_context(|| format!("making {}", machine_room::TREE))?;
        make_mount("tmpfs", &state::disks(), "mode=755")?;
        if state.wish.bypass {
            make_mount("bpf", &state::shared(), "mode=700")?;
        }
        network::make_switch()?;
        bring_up(&mut state, Machine::Client, &mut progress)?;
        for number in 1..=nodes {
            bring_up(&mut state, Machine::Node(number), &mut progress)?;
        }
        if state.wish.daemon {
            form::form(&state, Machine::Node(director))?;
        }
        state.complete = true;
        state::save(&state)
    };
    if let Err(error) = made() {
        leftovers::clean();
        return Err(error);
    }
    Ok(state)
}

/// Boots more nodes; those that are up already are left alone.
///
/// # Errors
/// No cluster is running, or a node could not be made.
pub fn add(numbers: &[u8], mut progress: impl FnMut(Machine)) -> Result<State> {
    let machines = nodes_of(numbers)?;
    let _lock = state::lock()?;
    let mut state = state::running()?;
    let mut added = Vec::new();
    for (machine, number) in machines.into_iter().zip(numbers) {
        if up(&state, machine) {
            continue;
        }
        // Its init may have ended by itself.
        machine_room::crash(&[machine]);
        if !state.known.contains(number) {
            state.known.push(*number);
            state.known.sort_unstable();
        }
        bring_up(&mut state, machine, &mut progress)?;
        added.push(machine);
    }
    if state.wish.daemon {
        take_in(&state, &added)?;
    }
    Ok(state)
}

/// Nodes that were in the cluster come back by themselves, the others join it.
fn take_in(state: &State, added: &[Machine]) -> Result<()> {
    let mut strangers = Vec::new();
    for node in added {
        if !form::belongs(state, *node)? {
            strangers.push(*node);
        }
    }
    if !strangers.is_empty() {
        let door = form::agreed(state).and_then(|view| u8::try_from(view.node).ok());
        let door = door.context("no node of the cluster can take others in now; `ssi-testbed exec 1 ssi cluster` says what it waits for")?;
        form::join(state, Machine::Node(door), &strangers)?;
    }
    added.iter().try_for_each(|node| form::back(state, *node))
}

/// Crashes nodes: everything of theirs is gone at once, but for their disks, and nobody is
/// told.
///
/// # Errors
/// No cluster is running, or a node is not up: then none is crashed.
pub fn remove(numbers: &[u8]) -> Result<()> {
    let machines = nodes_of(numbers)?;
    let _lock = state::lock()?;
    let mut state = state::running()?;
    if let Some(machine) = machines.iter().find(|machine| !up(&state, **machine)) {
        bail!("{machine} is not up; `ssi-testbed status` shows who is");
    }
    machine_room::crash(&machines);
    for machine in machines {
        state.machines.remove(&machine.name());
        state.paused.remove(&machine);
        state.delays.retain(|delay| delay.machine != machine);
    }
    state::save(&state)
}

/// Ends the cluster; whether there was anything to end.
///
/// # Errors
/// No rights.
pub fn stop() -> Result<bool> {
    let _lock = state::lock()?;
    let was = leftovers::found();
    leftovers::clean();
    fs::remove_dir_all(state::DIRECTORY)
        .with_context(|| format!("removing {}", state::DIRECTORY))?;
    Ok(was)
}

fn nodes_of(numbers: &[u8]) -> Result<Vec<Machine>> {
    numbers.iter().map(|number| node(*number)).collect()
}

/// Whether a machine's init is there, and not another process that got its number since.
#[must_use]
pub fn up(state: &State, machine: Machine) -> bool {
    let init = state.init_of(machine);
    init.and_then(machine_room::machine_of_init) == Some(machine)
}

/// Whether this is a cluster, and not what a killed testbed left: one that died while it
/// started, or whose machines are all gone. (Who starts one holds the lock.)
fn alive(state: &State) -> bool {
    state.complete && state.nodes().any(|machine| up(state, machine))
}

fn bring_up(state: &mut State, machine: Machine, progress: &mut impl FnMut(Machine)) -> Result<()> {
    interrupted()?;
    let made = || -> Result<i32> {
        network::plug_in(machine, &state.wish.mode, state.wish.mtu)?;
        write_configuration(state, machine)?;
        disks::make(machine)?;
        let daemon = state.wish.daemon && machine != Machine::Client;
        machine_room::boot(machine, daemon)
    };
    let init = made().inspect_err(|_| machine_room::crash(&[machine]))?;
    state.machines.insert(machine.name(), init);
    state::save(state)?;
    progress(machine);
    interrupted()
}

fn write_configuration(state: &State, machine: Machine) -> Result<()> {
    let directory = directory(machine);
    let etc = directory.join("etc");
    fs::create_dir_all(&etc)?;
    fs::write(directory.join("hosts"), config::hosts(machine)).context("writing hosts")?;
    if let Machine::Node(number) = machine {
        let text = config::of(number, &state.wish);
        fs::write(etc.join("ssi.toml"), text).context("writing ssi.toml")?;
    }
    Ok(())
}

/// Mounts a file system of this kind on a folder of its own.
fn make_mount(kind: &str, at: &Path, options: &str) -> Result<()> {
    fs::create_dir_all(at)?;
    let flags = nix::mount::MsFlags::empty();
    nix::mount::mount(Some(kind), at, Some(kind), flags, Some(options))
        .with_context(|| format!("mounting a {kind} on {}", at.display()))
}

/// The folder that the nodes mount theirs on; whether it had to be made.
fn make_etc_ssi() -> Result<bool> {
    let path = Path::new("/etc/ssi");
    let missing = !path.exists();
    fs::create_dir_all(path).context("making /etc/ssi for the nodes to mount theirs on")?;
    Ok(missing)
}
