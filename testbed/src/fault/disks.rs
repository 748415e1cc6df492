//! Full disks: a machine's disk is a tmpfs of its own, whose size can be changed at any time.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::statvfs;

use crate::plan::Machine;
use crate::state::{self, State, disk};

/// As large as a tmpfs is by itself.
const ROOMY: &str = "size=50%";

/// Makes a machine's disk, if it has none yet.
pub(crate) fn make(machine: Machine) -> Result<()> {
    let at = disk(machine);
    fs::create_dir_all(&at)?;
    if is_mounted(&at)? {
        return Ok(());
    }
    set(&at, MsFlags::empty(), ROOMY)
}

/// No byte more has room on a machine's disk (true), also after a crash; or there is room
/// again.
///
/// # Errors
/// The machine has no disk yet.
pub fn fill(state: &mut State, machine: Machine, full: bool) -> Result<()> {
    let at = disk(machine);
    if !at.exists() {
        bail!("{machine} has no disk yet: it was never up");
    }
    if full {
        let now = statvfs(&at).with_context(|| at.display().to_string())?;
        let used = (now.blocks() - now.blocks_free()) * now.fragment_size();
        // A size of 0 would be none.
        let used = used.max(now.fragment_size());
        set(&at, MsFlags::MS_REMOUNT, &format!("size={used}"))?;
        state.full.insert(machine);
    } else {
        set(&at, MsFlags::MS_REMOUNT, ROOMY)?;
        state.full.remove(&machine);
    }
    state::save(state)
}

fn set(at: &Path, flags: MsFlags, size: &str) -> Result<()> {
    let kind = Some("tmpfs");
    mount(kind, at, kind, flags, Some(size))
        .with_context(|| format!("a disk of {size} at {}", at.display()))
}

/// Whether a folder is on another file system than its parent.
fn is_mounted(at: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let parent = at.parent().context("a disk has a folder above it")?;
    Ok(fs::metadata(at)?.dev() != fs::metadata(parent)?.dev())
}
