//! A machine: its namespaces, and the init that lives in them.

pub mod init;
mod mounts;
pub mod supervise;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::setsid;

use crate::cgroup;
use crate::plan::Machine;
use crate::state::{self, directory};

/// What init is told, as one argument.
pub const INIT: &str = "init";
/// The step between the launcher and init.
pub const CRADLE: &str = "cradle";
/// What init says once the machine is up.
pub(super) const READY: &str = "ready";
/// The tmux server of the consoles.
pub const TMUX: &str = "ssi";

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
    said.trim().parse().map_err(|_| {
        let log = fs::read_to_string(state::log(machine)).unwrap_or_default();
        let end = log.lines().rev().take(3).collect::<Vec<_>>();
        let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
        anyhow::anyhow!("{machine} did not come up: {end}")
    })
}

/// The machine of a host number as [`Machine::host`] gives it.
fn machine_of(host: &str) -> Result<Machine> {
    if host == Machine::Client.host().to_string() {
        return Ok(Machine::Client);
    }
    host.parse()
}

/// Enters the namespaces that are made anew for a machine, starts init as their first
/// process, says its process id, and goes: so init is nobody's child who might wait.
///
/// # Errors
/// No rights, or the kernel lacks a namespace.
pub fn cradle(host: &str, daemon: &str) -> Result<()> {
    let machine = machine_of(host)?;
    let netns = format!("/run/netns/{}", machine.netns());
    let net = File::open(&netns).with_context(|| netns.clone())?;
    setns(net, CloneFlags::CLONE_NEWNET).context("entering the network namespace")?;
    cgroup::join(machine, std::process::id().cast_signed()).context("joining the cgroup")?;
    let kinds = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(kinds).context("making namespaces")?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(state::log(machine))?;
    let mut init = Command::new(std::env::current_exe()?);
    init.args([INIT, host, daemon]).stdin(Stdio::null());
    init.stdout(Stdio::piped()).stderr(log);
    // SAFETY: setsid is async-signal-safe and touches no memory of ours.
    unsafe {
        init.pre_exec(|| setsid().map(drop).map_err(Into::into));
    }
    let mut child = init.spawn().context("starting init")?;
    // From here on this process sees what init mounts, so it asks by a pipe only.
    let mut said = String::new();
    let pipe = child.stdout.take().context("piped")?;
    BufReader::new(pipe).read_line(&mut said)?;
    if said.trim() != READY {
        bail!("init of {machine} did not get ready");
    }
    println!("{}", child.id());
    Ok(())
}

/// Kills everything of a machine at once, and removes what is left of it.
pub fn crash(machine: Machine, init: Option<i32>) {
    cgroup::kill(machine);
    if let Some(init) = init.filter(|init| is_init(*init)) {
        let pid = nix::unistd::Pid::from_raw(init);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        wait_gone(init);
    }
    crate::network::pull_out(machine);
    cgroup::remove(machine);
}

/// Whether a process is the init of a machine, and not another that got its number since.
#[must_use]
pub fn is_init(pid: i32) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = arguments.split(|byte| *byte == 0);
    let program = words.next().unwrap_or_default();
    program.ends_with(b"ssi-testbed") && words.next() == Some(INIT.as_bytes())
}

fn wait_gone(pid: i32) {
    for _ in 0..200 {
        if !std::path::Path::new(&format!("/proc/{pid}")).exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
