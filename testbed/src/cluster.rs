//! Starting and stopping.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::plan::{Machine, node};
use crate::state::{self, State, Wish, directory};
use crate::{config, fault, leftovers, network, node as machine_room};

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

/// A random seed for a new cluster.
///
/// # Errors
/// The system has no randomness.
pub fn seed() -> Result<String> {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Boots nodes 1 to `nodes` and the client. `progress` hears of each machine that is up.
///
/// # Errors
/// A cluster is running already, or something could not be made; then nothing is left.
pub fn start(nodes: u8, wish: Wish, mut progress: impl FnMut(Machine)) -> Result<State> {
    node(nodes)?;
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
        machines: BTreeMap::new(),
        known: (1..=nodes).collect(),
        faults: Vec::new(),
        made_etc_ssi: make_etc_ssi()?,
    };
    state::save(&state)?;
    let made = (|| {
        network::make_switch()?;
        bring_up(&mut state, Machine::Client, &mut progress)?;
        for number in 1..=nodes {
            bring_up(&mut state, Machine::Node(number), &mut progress)?;
        }
        Ok(())
    })();
    if let Err(error) = made {
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
    let machines = numbers
        .iter()
        .map(|number| node(*number))
        .collect::<Result<Vec<_>>>()?;
    let _lock = state::lock()?;
    let mut state = state::running()?;
    for machine in machines {
        if state.init_of(machine).is_some_and(machine_room::is_init) {
            continue;
        }
        machine_room::crash(machine, None);
        let Machine::Node(number) = machine else {
            continue;
        };
        if !state.known.contains(&number) {
            state.known.push(number);
            state.known.sort_unstable();
            rewrite_configurations(&state)?;
        }
        bring_up(&mut state, machine, &mut progress)?;
    }
    fault::enforce(&state.faults)?;
    Ok(state)
}

/// Crashes nodes: everything of theirs is gone at once, and nobody is told.
///
/// # Errors
/// No cluster is running, or a node is not up.
pub fn remove(numbers: &[u8]) -> Result<()> {
    let machines = numbers
        .iter()
        .map(|number| node(*number))
        .collect::<Result<Vec<_>>>()?;
    let _lock = state::lock()?;
    let mut state = state::running()?;
    if let Some(machine) = machines
        .iter()
        .find(|machine| state.init_of(**machine).is_none())
    {
        bail!("{machine} is not up; `ssi-testbed status` shows who is");
    }
    for machine in machines {
        let init = state.machines.remove(&machine.name());
        state::save(&state)?;
        machine_room::crash(machine, init);
        unmount_layers(machine);
    }
    Ok(())
}

/// Ends the cluster; whether there was anything to end.
///
/// # Errors
/// No rights.
pub fn stop() -> Result<bool> {
    let lock = state::lock()?;
    let was = leftovers::found();
    leftovers::clean();
    drop(lock);
    let _ = fs::remove_dir_all(state::DIRECTORY);
    Ok(was)
}

/// Whether anything of a cluster still runs.
fn alive(state: &State) -> bool {
    state
        .machines
        .values()
        .any(|init| machine_room::is_init(*init))
}

fn bring_up(state: &mut State, machine: Machine, progress: &mut impl FnMut(Machine)) -> Result<()> {
    interrupted()?;
    let made = || -> Result<i32> {
        network::plug_in(machine, &state.wish.mode, state.wish.mtu)?;
        write_configuration(state, machine)?;
        let daemon = state.wish.daemon && machine != Machine::Client;
        machine_room::boot(machine, daemon)
    };
    let init = made().inspect_err(|_| machine_room::crash(machine, None))?;
    state.machines.insert(machine.name(), init);
    state::save(state)?;
    progress(machine);
    interrupted()
}

fn write_configuration(state: &State, machine: Machine) -> Result<()> {
    let etc = directory(machine).join("etc");
    fs::create_dir_all(&etc)?;
    if let Machine::Node(number) = machine {
        let text = config::of(number, &state.known, &state.wish);
        fs::write(etc.join("ssi.toml"), text).context("writing ssi.toml")?;
    }
    Ok(())
}

/// Every node learns of a new one, as the list is all the membership there is.
fn rewrite_configurations(state: &State) -> Result<()> {
    for machine in state.nodes() {
        write_configuration(state, machine)?;
        // It reloads its configuration on SIGHUP.
        let _ = crate::tool::run(
            "nsenter",
            &[
                "-t",
                &state.init_of(machine).unwrap_or(0).to_string(),
                "-p",
                "-m",
                "pkill",
                "-HUP",
                "-x",
                "ssid",
            ],
        );
    }
    Ok(())
}

/// The folder that the nodes mount theirs on; whether it had to be made.
fn make_etc_ssi() -> Result<bool> {
    let path = Path::new("/etc/ssi");
    let missing = !path.exists();
    fs::create_dir_all(path).context("making /etc/ssi for the nodes to mount theirs on")?;
    Ok(missing)
}

/// The memory behind a dead node's `/var`.
fn unmount_layers(machine: Machine) {
    let layers = directory(machine).join("layers");
    let _ = nix::mount::umount2(&layers, nix::mount::MntFlags::MNT_DETACH);
}
