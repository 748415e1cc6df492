//! The view that this node went by last, in the state directory. A daemon that was restarted
//! goes on from it, by `view`, which need not have reached the disk; a machine that was, knows
//! by it whom to ask, and if that file makes no sense then by `view.kept`, which is as it was
//! a moment before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use ssi_clms::core::{Number, View};

use crate::state;

/// What is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// The view.
    pub(crate) view: View,
    /// Since when each node is in its state, in seconds since 1970, as this node saw it.
    pub(crate) since: BTreeMap<Number, u64>,
}

impl Saved {
    /// What the state directory has. A file that makes no sense is as good as none: the
    /// cluster tells the view again.
    pub(crate) fn load(directory: &Path) -> Result<Option<Self>> {
        let (last, kept) = (Self::read(&path(directory))?, Self::read(&kept(directory))?);
        // The later one; whichever that is, the disk may have had the other first.
        Ok(kept
            .into_iter()
            .chain(last)
            .max_by_key(|saved| saved.view.epoch))
    }

    fn read(path: &Path) -> Result<Option<Self>> {
        let Some(bytes) = state::read(path)? else {
            return Ok(None);
        };
        match postcard::from_bytes(&bytes) {
            Ok(saved) => Ok(Some(saved)),
            Err(error) => {
                tracing::warn!(
                    "{} makes no sense ({error}); going on without it",
                    path.display()
                );
                Ok(None)
            }
        }
    }

    /// Writes it down for the next daemon.
    pub(crate) fn save(&self, directory: &Path) -> Result<()> {
        state::write_soon(&path(directory), &postcard::to_stdvec(self)?)
    }

    /// Writes it down for the time when the machine has been off, and waits for the disk.
    pub(crate) fn keep(&self, directory: &Path) -> Result<()> {
        state::write(&kept(directory), &postcard::to_stdvec(self)?)
    }

    /// Forgets it.
    pub(crate) fn remove(directory: &Path) -> Result<()> {
        state::remove(&path(directory))?;
        state::remove(&kept(directory))
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join("view")
}

fn kept(directory: &Path) -> PathBuf {
    directory.join("view.kept")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), None);
        Saved::default().save(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), Some(Saved::default()));
        std::fs::write(path(dir.path()), [0xff; 9]).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), None);
    }

    fn at(epoch: u64) -> Saved {
        let view = View {
            epoch,
            ..View::default()
        };
        Saved {
            view,
            ..Saved::default()
        }
    }

    #[test]
    fn the_later_one_that_makes_sense_counts() {
        let dir = tempfile::tempdir().unwrap();
        at(3).keep(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), Some(at(3)));
        at(4).save(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), Some(at(4)));
        // The disk had none of it when the machine went off.
        std::fs::write(path(dir.path()), []).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), Some(at(3)));
        at(2).save(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), Some(at(3)));
        Saved::remove(dir.path()).unwrap();
        assert_eq!(Saved::load(dir.path()).unwrap(), None);
    }
}
