//! The configuration on disk: what shall be, for a node whose maps are gone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ssi_api::lvs::Command;
use thiserror::Error;

/// Of the file's format.
const VERSION: u32 = 1;

/// The configuration could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("{path}: cannot {operation}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// "read", "write", …
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there but makes no sense.
    #[error(
        "{path} is damaged ({reason}); it was kept as {kept}. The services that are in the kernel go on; what it held beyond them must be entered anew"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Where it is now.
        kept: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Saved<C> {
    version: u32,
    commands: C,
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
}

impl Store {
    /// In a directory, which is made if it isn't there.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn new(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lvs.json");
        fs::create_dir_all(directory).map_err(|source| StoreError::Io {
            path: directory.to_owned(),
            operation: "make the directory",
            source,
        })?;
        Ok(Self { path })
    }

    fn io(&self, operation: &'static str) -> impl Fn(io::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError::Io {
            path: path.clone(),
            operation,
            source,
        }
    }

    /// The commands that make everything as it was; none if there is no file.
    ///
    /// # Errors
    /// The file can't be read, or is damaged; a damaged one is moved aside.
    pub(super) fn load(&self) -> Result<Option<Vec<Command>>, StoreError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("read")(error)),
        };
        let reason = match serde_json::from_slice::<Saved<Vec<Command>>>(&text) {
            Ok(saved) if saved.version == VERSION => return Ok(Some(saved.commands)),
            Ok(saved) => format!("it is of format version {}, not {VERSION}", saved.version),
            Err(error) => error.to_string(),
        };
        let kept = self.path.with_extension("json.bad");
        fs::rename(&self.path, &kept).map_err(self.io("move the damaged file aside"))?;
        Err(StoreError::Damaged {
            path: self.path.clone(),
            reason,
            kept,
        })
    }

    /// Replaces the file in one step: after a crash at any moment there is the old one or
    /// the new one.
    ///
    /// # Errors
    /// It can't be written; the old one is still there.
    pub(super) fn save(&self, commands: &[Command]) -> Result<(), StoreError> {
        let saved = Saved {
            version: VERSION,
            commands,
        };
        let text = serde_json::to_vec(&saved)
            .map_err(io::Error::from)
            .map_err(self.io("write"))?;
        let new = self.path.with_extension("json.new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            // The name, too, must have reached the disk.
            let directory = self.path.parent().unwrap_or(Path::new("/"));
            File::open(directory)?.sync_all()
        };
        write().map_err(self.io("write"))
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::lvs::{Protocol, ServiceName};

    use super::*;

    fn commands() -> Vec<Command> {
        let service = ServiceName::Address {
            protocol: Protocol::Tcp,
            addr: "10.0.0.1".parse().expect("an address"),
            port: 80,
        };
        vec![Command::DeleteService { service }]
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(&directory.path().join("deeper")).expect("makes it");
        assert_eq!(store.load().expect("no file"), None);
        store.save(&commands()).expect("saves");
        store.save(&commands()).expect("saves again");
        assert_eq!(store.load().expect("loads"), Some(commands()));
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path()).expect("is there");
        store.save(&commands()).expect("saves");
        let path = directory.path().join("lvs.json");
        let text = fs::read(&path).expect("reads");
        fs::write(&path, &text[..text.len() / 2]).expect("writes");
        let error = store.load().expect_err("it is cut off").to_string();
        assert!(error.contains("lvs.json.bad"), "{error}");
        assert!(directory.path().join("lvs.json.bad").exists());
        assert_eq!(store.load().expect("nothing there now"), None);
    }

    #[test]
    fn a_later_format_is_not_guessed_at() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path()).expect("is there");
        fs::write(
            directory.path().join("lvs.json"),
            r#"{"version":9,"commands":[]}"#,
        )
        .expect("writes");
        let error = store.load().expect_err("version 9").to_string();
        assert!(error.contains("version 9"), "{error}");
    }
}
