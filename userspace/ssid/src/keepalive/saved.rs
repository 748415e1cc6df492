//! What was agreed, as this node has it: `keepalive/agreed` in the state directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ssi_clms::core::Epoch;
use ssi_keepalive::agreed::Agreed;

use super::{folder, places};
use crate::config::Config;
use crate::state;

/// The file.
pub(super) fn path(config: &Config) -> PathBuf {
    folder(config).join("agreed")
}

/// What the file has, and up to which epoch it goes; nothing if there is none.
///
/// # Errors
/// It can't be read, or makes no sense: it is named, and stays.
pub(super) fn load(path: &Path) -> Result<(Agreed, Epoch)> {
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

/// Writes it down.
pub(super) fn save(path: &Path, agreed: &Agreed, epoch: Epoch) -> Result<()> {
    let mut bytes = epoch.to_be_bytes().to_vec();
    bytes.extend(agreed.export().map_err(anyhow::Error::msg)?);
    state::write(path, &bytes)
}

/// Forgets all of it: this machine is to be another node, or none.
pub(crate) fn forget(config: &Config) -> Result<()> {
    state::remove(&path(config))?;
    state::remove(&places::state(config))
}

#[cfg(test)]
mod tests {
    use ssi_keepalive::agreed::{Change, Entry};

    use super::*;

    #[test]
    fn what_was_saved_is_found_again_and_a_cut_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agreed");
        assert_eq!(load(&path).unwrap(), (Agreed::default(), 0));
        let mut agreed = Agreed::default();
        let put = "[[process]]\nname = \"a\"\npath = \"/bin/a\"\nfavoured = 2\n".to_owned();
        let change = Change {
            put,
            ..Change::default()
        };
        agreed.apply(&Entry::Change(change)).unwrap();
        save(&path, &agreed, 7).unwrap();
        assert_eq!(load(&path).unwrap(), (agreed, 7));
        let bytes = std::fs::read(&path).unwrap();
        for length in [3, bytes.len() / 2] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains("agreed is damaged"), "{error}");
        }
    }
}
