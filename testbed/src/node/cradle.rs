//! The step between the launcher and a machine's init.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::setsid;

use super::{INIT, READY, machine_of};
use crate::cgroup;
use crate::state;

/// Enters the namespaces that are made anew for a machine, starts init as their first
/// process, says its process id, and goes: so init is nobody's child who might wait.
///
/// # Errors
/// No rights, or the kernel lacks a namespace.
pub fn run(host: &str, daemon: &str) -> Result<()> {
    let machine = machine_of(host)?;
    let netns = format!("/run/netns/{}", machine.netns());
    let net = File::open(&netns).with_context(|| netns.clone())?;
    setns(net, CloneFlags::CLONE_NEWNET).context("entering the network namespace")?;
    cgroup::join(machine, std::process::id().cast_signed()).context("joining the cgroup")?;
    // Asked for before there is another mount namespace: from there, a chroot's path to a
    // file of the old one leads elsewhere.
    let program = std::env::current_exe()?;
    let kinds = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(kinds).context("making namespaces")?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(state::log(machine))?;
    let mut init = Command::new(program);
    init.args([INIT, host, daemon]).stdin(Stdio::null());
    init.stdout(Stdio::piped()).stderr(log);
    // Whatever our caller has open (a lock, a pipe that somebody reads to its end) is not
    // for the node to keep open.
    // SAFETY: both calls are async-signal-safe and touch no memory of ours.
    unsafe {
        init.pre_exec(|| {
            libc::close_range(
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC as libc::c_int,
            );
            setsid().map(drop).map_err(Into::into)
        });
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
