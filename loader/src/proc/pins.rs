//! Where process tracking outlives the process: `<bpffs>/ssi/<ABI version>/proc/maps/<MAP>`
//! and `…/proc/links/<tracepoint>`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::programs::links::FdLink;
use ssi_abi::ABI_VERSION;

use crate::{LoadError, bpffs};

/// Maps that go on being filled while nobody reads.
const NAMES: [&str; 4] = ["EVENTS", "LOST", "PLACE", "SUPERVISED"];

/// The pin directory of this ABI version.
#[derive(Debug)]
pub(super) struct Pins(PathBuf);

/// Where a map is pinned.
pub(super) fn map(root: &Path, name: &str) -> PathBuf {
    ours(root).join("maps").join(name)
}

fn ours(root: &Path) -> PathBuf {
    root.join("ssi")
        .join(ABI_VERSION.to_string())
        .join(bpffs::PROC)
}

impl Pins {
    /// Makes the directories, and mounts a bpffs if nothing is mounted there.
    pub(super) fn prepare(root: &Path) -> Result<Self, LoadError> {
        bpffs::prepare(root)?;
        let ours = ours(root);
        for dir in [ours.join("maps"), ours.join("links")] {
            fs::create_dir_all(&dir).map_err(|source| LoadError::Pin {
                path: dir.clone(),
                source,
            })?;
        }
        Ok(Self(ours))
    }

    /// Every map with its path.
    pub(super) fn maps(&self) -> [(&'static str, PathBuf); NAMES.len()] {
        NAMES.map(|name| (name, self.0.join("maps").join(name)))
    }

    /// Whether an earlier daemon has left all of them.
    pub(super) fn has_maps(&self) -> bool {
        self.maps().iter().all(|(_, path)| path.exists())
    }

    /// Pins a link, in place of the one that an earlier daemon has pinned. For a moment both
    /// are there, so that nothing is missed; what is told twice does no harm.
    pub(super) fn replace(&self, name: &str, link: FdLink) -> Result<(), LoadError> {
        let pin = self.0.join("links").join(name);
        let new = self.0.join("links").join(format!("{name}:new"));
        let failed = |source| LoadError::Pin {
            path: pin.clone(),
            source,
        };
        remove(&new).map_err(failed)?;
        link.pin(&new)
            .map_err(|error| LoadError::refused(format!("to pin {}", new.display()), &error))?;
        remove(&pin).map_err(failed)?;
        fs::rename(&new, &pin).map_err(failed)
    }
}

fn remove(pin: &Path) -> io::Result<()> {
    match fs::remove_file(pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
