//! Where maps and links outlive the process:
//! `<bpffs>/ssi/<ABI version>/maps/<MAP>` and `…/links/<interface>:<hook>`.
//!
//! bpffs holds pins and directories only, so what the kernel can't pin (a tc filter on a
//! clsact qdisc) is noted as an empty directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::programs::tc::{TcAttachType, qdisc_detach_program};
use ssi_abi::ABI_VERSION;

use super::maps::NAMES;
use crate::LoadError;
use crate::bpffs::{self, entries};

/// What a link is pinned as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    Xdp,
    Ingress,
    Egress,
}

impl Hook {
    const fn name(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// The pin directory of this ABI version.
#[derive(Debug)]
pub(super) struct Pins {
    ours: PathBuf,
    versions: PathBuf,
}

impl Pins {
    /// Makes the directories, and mounts a bpffs if nothing is mounted there.
    pub(super) fn prepare(root: &Path) -> Result<Self, LoadError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| LoadError::Pin { path, source }
        };
        bpffs::prepare(root)?;
        let versions = root.join("ssi");
        let ours = versions.join(ABI_VERSION.to_string());
        for dir in [ours.join("maps"), ours.join("links")] {
            fs::create_dir_all(&dir).map_err(failed(&dir))?;
        }
        Ok(Self { ours, versions })
    }

    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.ours.join("maps").join(name)
    }

    /// Where daemons of other ABI versions have a map of this name pinned.
    pub(super) fn of_others(&self, name: &str) -> Vec<PathBuf> {
        let ours = self.map(name);
        subdirectories(&self.versions)
            .into_iter()
            .map(|version| version.join("maps").join(name))
            .filter(|path| *path != ours && path.exists())
            .collect()
    }

    pub(super) fn has_maps(&self) -> bool {
        NAMES.iter().all(|name| self.map(name).exists())
    }

    pub(super) fn link(&self, interface: &str, hook: Hook) -> PathBuf {
        self.ours.join("links").join(link_name(interface, hook))
    }

    /// Whether the hook's program hangs on a clsact qdisc; see the module.
    pub(super) fn note_clsact(&self, interface: &str, hook: Hook) -> io::Result<()> {
        match fs::create_dir(self.clsact(interface, hook)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn clsact(&self, interface: &str, hook: Hook) -> PathBuf {
        self.ours
            .join("links")
            .join(format!("{}:clsact", link_name(interface, hook)))
    }

    /// Moves a link that another ABI version pinned to our directory.
    pub(super) fn inherit(&self, interface: &str, hook: Hook) {
        let ours = self.link(interface, hook);
        for version in subdirectories(&self.versions) {
            let theirs = version.join("links").join(link_name(interface, hook));
            if theirs != ours && theirs.exists() && !ours.exists() {
                // If it can't be moved, attaching reports what stands in the way.
                let _ = fs::rename(theirs, &ours);
            }
        }
    }

    /// Detaches whatever of ours is not at one of `kept` (interface, hook), and removes
    /// what other ABI versions left.
    pub(super) fn detach_all_but(&self, kept: &[(String, Hook)]) {
        for version in subdirectories(&self.versions) {
            if version != self.ours {
                remove_version(&version);
            }
        }
        let kept: Vec<_> = kept
            .iter()
            .map(|(name, hook)| link_name(name, *hook))
            .collect();
        for pin in entries(&self.ours.join("links")) {
            let name = file_name(&pin);
            if !kept
                .iter()
                .any(|kept| name == *kept || name == format!("{kept}:clsact"))
            {
                remove_link(&pin);
            }
        }
    }
}

fn link_name(interface: &str, hook: Hook) -> String {
    // bpffs refuses '.' in names, interfaces (VLANs) may have it.
    format!("{}:{}", interface.replace('.', "~"), hook.name())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    entries(dir)
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

/// Removes a pinned link, which detaches it, or a tc filter that one of our notes names.
fn remove_link(pin: &Path) {
    let name = file_name(pin);
    if let Some(rest) = name.strip_suffix(":clsact")
        && let Some((interface, hook)) = rest.rsplit_once(':')
    {
        let interface = interface.replace('~', ".");
        let (direction, program) = match hook {
            "ingress" => (TcAttachType::Ingress, "ssi_tc"),
            _ => (TcAttachType::Egress, "ssi_egress"),
        };
        // Gone with its interface, most likely.
        let _ = qdisc_detach_program(&interface, direction, program);
        let _ = fs::remove_dir(pin);
        return;
    }
    let _ = fs::remove_file(pin);
}

fn remove_version(version: &Path) {
    bpffs::remove_proc(version);
    for pin in entries(&version.join("links")) {
        remove_link(&pin);
    }
    for pin in entries(&version.join("maps")) {
        let _ = fs::remove_file(pin);
    }
    for dir in [
        version.join("links"),
        version.join("maps"),
        version.to_owned(),
    ] {
        let _ = fs::remove_dir(dir);
    }
}

/// Detaches every program of ours and removes every pin, of all ABI versions, below a
/// bpffs. Says whether there was anything.
///
/// # Errors
/// What could not be removed.
pub fn unload(root: &Path) -> Result<bool, LoadError> {
    let versions = root.join("ssi");
    if !versions.exists() {
        return Ok(false);
    }
    for version in subdirectories(&versions) {
        remove_version(&version);
    }
    fs::remove_dir(&versions).map_err(|source| LoadError::Pin {
        path: versions,
        source,
    })?;
    Ok(true)
}
