//! What a machine has of its own in the shared tree: `/proc`, `/sys`, `/var`, `/run`,
//! `/tmp`, `/dev/shm`, `/dev/mqueue`, `/etc/ssi`, `/etc/hosts` and a bpffs.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::programs;
use crate::plan::Machine;
use crate::state::{directory, disk, shared as shared_place};

/// Where a machine finds our programs, wherever they are outside: `/run` is its own.
pub const PROGRAMS: &str = "/run/ssi-testbed/bin";

/// Where it finds `ssi` by the names of the original's commands.
pub(super) const NAMES: &str = "/run/ssi-testbed/names";

/// Where the nodes' `ssid` mount the tree that all nodes have in common.
pub const TREE: &str = "/cluster";

fn attach(kind: &str, at: &str, flags: MsFlags, options: &str) -> Result<()> {
    mount(Some(kind), at, Some(kind), flags, Some(options))
        .with_context(|| format!("mounting a {kind} on {at}"))
}

fn bind(from: &Path, at: &str) -> Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), at, None::<&str>, flags, None::<&str>)
        .with_context(|| format!("binding {} to {at}", from.display()))
}

fn by_descriptor(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Mounts them all, in a mount namespace of the machine's own.
pub(super) fn make(machine: Machine) -> Result<()> {
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .context("making mounts private")?;
    // Or this machine would keep the others' networks alive when they crash.
    let _ = umount2("/run/netns", MntFlags::MNT_DETACH);
    // Opened before anything is mounted over them.
    let own = directory(machine);
    let programs = File::open(programs()?)?;
    let kept = File::open(&own)?;
    let cgroups = File::open("/sys/fs/cgroup").ok();
    let shared = File::open(shared_place()).ok();
    attach("proc", "/proc", MsFlags::empty(), "")?;
    private_var(&disk(machine))?;
    let options = "mode=755,size=1g";
    attach(
        "tmpfs",
        "/run",
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        options,
    )?;
    attach(
        "tmpfs",
        "/tmp",
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=1777,size=1g",
    )?;
    attach(
        "tmpfs",
        TREE,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=755,size=1m",
    )?;
    if Path::new("/dev/shm").exists() {
        attach(
            "tmpfs",
            "/dev/shm",
            MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
            "mode=1777",
        )?;
    }
    if Path::new("/dev/mqueue").exists() {
        // Queues are per IPC namespace, and a mount shows those of whoever mounted it.
        attach("mqueue", "/dev/mqueue", MsFlags::empty(), "")?;
    }
    fs::create_dir_all(PROGRAMS)?;
    bind(Path::new(&by_descriptor(&programs)), PROGRAMS)?;
    fs::create_dir_all(NAMES)?;
    for name in ssi_api::names::all() {
        let program = ssi_api::names::program(name);
        symlink(
            Path::new(PROGRAMS).join(program),
            Path::new(NAMES).join(name),
        )?;
    }
    for dir in [
        "/run/ssi-testbed/machine",
        "/run/cgroup",
        "/run/lock",
        "/run/ssi",
    ] {
        fs::create_dir_all(dir)?;
    }
    another_boot()?;
    bind(Path::new(&by_descriptor(&kept)), "/run/ssi-testbed/machine")?;
    if let Some(shared) = shared {
        fs::create_dir_all(shared_place())?;
        bind(
            Path::new(&by_descriptor(&shared)),
            &shared_place().to_string_lossy(),
        )?;
    }
    system(cgroups.as_ref())?;
    let kept = Path::new("/run/ssi-testbed/machine");
    bind(&kept.join("etc"), "/etc/ssi")?;
    if Path::new("/etc/hosts").exists() {
        bind(&kept.join("hosts"), "/etc/hosts")?;
    }
    Ok(())
}

/// The kernel goes on when a machine crashes; but whoever asks it whether it was booted since
/// is told so.
fn another_boot() -> Result<()> {
    let own = Path::new("/run/ssi-testbed/boot_id");
    fs::write(own, fs::read("/proc/sys/kernel/random/uuid")?)?;
    bind(own, "/proc/sys/kernel/random/boot_id")
}

/// `/var` as this machine found it, but what it writes is its own, and outlives a crash, as
/// a disk does.
fn private_var(disk: &Path) -> Result<()> {
    let (upper, work) = (disk.join("upper"), disk.join("work"));
    let new = !upper.exists();
    fs::create_dir_all(&upper)?;
    fs::create_dir_all(&work)?;
    let (upper, work) = (upper.display(), work.display());
    let options = format!("lowerdir=/var,upperdir={upper},workdir={work}");
    mount(
        Some("overlay"),
        "/var",
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .context("mounting an overlay on /var")?;
    if new {
        // State of the machine outside is not the node's.
        let _ = fs::remove_dir_all("/var/lib/ssi");
    }
    Ok(())
}

/// `/sys` of the machine's own network, with the cgroups as they were and a bpffs.
fn system(cgroups: Option<&File>) -> Result<()> {
    if let Some(cgroups) = cgroups {
        bind(Path::new(&by_descriptor(cgroups)), "/run/cgroup")?;
    }
    attach("sysfs", "/sys", MsFlags::empty(), "")?;
    if cgroups.is_some() {
        mount(
            Some("/run/cgroup"),
            "/sys/fs/cgroup",
            None::<&str>,
            MsFlags::MS_MOVE,
            None::<&str>,
        )
        .context("moving the cgroups back")?;
    }
    let _ = fs::remove_dir("/run/cgroup");
    attach("bpf", "/sys/fs/bpf", MsFlags::empty(), "mode=700")?;
    // For whoever wants to see what the kernel traces; not every kernel has it.
    let _ = attach("tracefs", "/sys/kernel/tracing", MsFlags::empty(), "");
    Ok(())
}
