//! What was agreed, as this node has it: `keepalive/agreed` in the state directory; while that
//! can't be written, because the disk is full, in the runtime directory, so that the node goes
//! on. What a power cut takes away then, the other nodes have.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ssi_clms::core::Epoch;
use ssi_keepalive::agreed::Agreed;

use super::{events, folder, places};
use crate::config::Config;
use crate::state;
use crate::why::why;

/// The file, at either place.
pub(super) struct Saved {
    path: PathBuf,
    spare: PathBuf,
}

impl Saved {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            path: folder(config).join("agreed"),
            spare: config.runtime().join("keepalive").join("agreed"),
        }
    }

    /// What the file has, and up to which epoch it goes; nothing if there is none.
    ///
    /// # Errors
    /// It can't be read, or makes no sense: it is named, and stays.
    pub(super) fn load(&self) -> Result<(Agreed, Epoch)> {
        let kept = load(&self.path);
        // It was written when the other could not be.
        match load(&self.spare) {
            Ok(spare) if kept.as_ref().is_ok_and(|kept| kept.1 < spare.1) => Ok(spare),
            _ => kept,
        }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// Neither place takes it.
    pub(super) fn save(&self, agreed: &Agreed, epoch: Epoch) -> Result<()> {
        let mut bytes = epoch.to_be_bytes().to_vec();
        bytes.extend(agreed.export().map_err(anyhow::Error::msg)?);
        let Err(error) = state::write(&self.path, &bytes) else {
            return state::remove(&self.spare);
        };
        tracing::warn!(
            "{}; it is in {} until it can be written",
            why(&error),
            self.spare.display()
        );
        state::write(&self.spare, &bytes)
    }
}

fn load(path: &Path) -> Result<(Agreed, Epoch)> {
    let Some(bytes) = state::read(path)? else {
        return Ok((Agreed::default(), 0));
    };
    let damaged = || {
        format!(
            "{} is damaged; move it away, and this node takes over what the others have",
            path.display()
        )
    };
    let (epoch, rest) = bytes.split_first_chunk().with_context(damaged)?;
    let agreed = Agreed::import(rest).map_err(anyhow::Error::msg);
    Ok((agreed.with_context(damaged)?, Epoch::from_be_bytes(*epoch)))
}

/// Forgets all of it: this machine is to be another node, or none.
pub(crate) fn forget(config: &Config) -> Result<()> {
    let saved = Saved::of(config);
    state::remove(&saved.path)?;
    state::remove(&saved.spare)?;
    state::remove(&events::path(config))?;
    state::remove(&places::state(config))
}

#[cfg(test)]
mod tests {
    use ssi_keepalive::agreed::{Change, Entry};

    use super::*;

    #[test]
    fn what_was_saved_is_found_again_and_a_cut_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).join("agreed");
        let saved = Saved {
            path: at("disk"),
            spare: at("memory"),
        };
        assert_eq!(saved.load().unwrap(), (Agreed::default(), 0));
        let mut agreed = Agreed::default();
        let put = "[[process]]\nname = \"a\"\npath = \"/bin/a\"\nfavoured = 2\n".to_owned();
        let change = Change {
            put,
            ..Change::default()
        };
        agreed.apply(&Entry::Change(change)).unwrap();
        saved.save(&agreed, 7).unwrap();
        assert_eq!(saved.load().unwrap(), (agreed.clone(), 7));
        // Where nothing new can be made, it goes elsewhere until that is over.
        let blocked = saved.path.with_extension("new");
        std::fs::create_dir(&blocked).unwrap();
        saved.save(&agreed, 8).unwrap();
        assert_eq!(saved.load().unwrap(), (agreed.clone(), 8));
        std::fs::remove_dir(&blocked).unwrap();
        saved.save(&agreed, 9).unwrap();
        assert_eq!(saved.load().unwrap(), (agreed, 9));
        assert!(!saved.spare.exists());
        let bytes = std::fs::read(&saved.path).unwrap();
        for length in [3, bytes.len() / 2] {
            std::fs::write(&saved.path, &bytes[..length]).unwrap();
            let error = saved.load().unwrap_err().to_string();
            assert!(error.contains("agreed is damaged"), "{error}");
        }
    }
}
