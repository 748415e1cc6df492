//! The view that this node went by last: `view` in the state directory. A daemon that was
//! restarted goes on from it; a machine that was, knows by it whom to ask.

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
        let path = path(directory);
        let Some(bytes) = state::read(&path)? else {
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

    /// Writes it down.
    pub(crate) fn save(&self, directory: &Path) -> Result<()> {
        state::write(&path(directory), &postcard::to_stdvec(self)?)
    }

    /// Forgets it.
    pub(crate) fn remove(directory: &Path) -> Result<()> {
        state::remove(&path(directory))
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join("view")
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
}
