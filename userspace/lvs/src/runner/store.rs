//! The configuration on disk: what shall be, for a node whose maps are gone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::core::{Agreed, Unusable};

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

    /// What was saved; none if there is no file.
    ///
    /// # Errors
    /// The file can't be read, or is damaged; a damaged one is moved aside.
    pub(super) fn load(&self) -> Result<Option<Agreed>, StoreError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("read")(error)),
        };
        match Agreed::read(&text) {
            Ok(saved) => Ok(Some(saved)),
            Err(unusable) => Err(self.damaged(&unusable)),
        }
    }

    /// Keeps the file aside: what it says can't be.
    pub(super) fn damaged(&self, unusable: &Unusable) -> StoreError {
        let kept = self.path.with_extension("json.bad");
        if let Err(error) = fs::rename(&self.path, &kept) {
            return self.io("move the damaged file aside")(error);
        }
        StoreError::Damaged {
            path: self.path.clone(),
            reason: unusable.to_string(),
            kept,
        }
    }

    /// Keeps a copy of the file, if there is one, and says where.
    ///
    /// # Errors
    /// It can't be copied.
    pub(super) fn keep(&self, extension: &str) -> Result<Option<PathBuf>, StoreError> {
        let copy = self.path.with_extension(extension);
        match fs::copy(&self.path, &copy) {
            Ok(_) => Ok(Some(copy)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("keep a copy of")(error)),
        }
    }

    /// Replaces the file in one step: after a crash at any moment there is the old one or
    /// the new one.
    ///
    /// # Errors
    /// It can't be written; the old one is still there.
    pub(super) fn save(&self, agreed: &Agreed) -> Result<(), StoreError> {
        let text = agreed
            .write()
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
    use ssi_api::lvs::{Command, Protocol, Scheduler, ServerName, ServiceName, ServiceSpec};

    use super::*;
    use crate::core::{Model, Tuning};

    fn saved() -> Agreed {
        let mut model = Model::new(Tuning {
            seed: 7,
            hz: 250,
            table_entries: 1 << 18,
            node: 1,
        });
        let service = ServiceName::Address {
            protocol: Protocol::Tcp,
            addr: "10.0.0.1".parse().expect("an address"),
            port: 80,
        };
        let spec = ServiceSpec {
            scheduler: Scheduler::Slot,
            ..ServiceSpec::default()
        };
        let server = |addr: &str| Command::AddServer {
            service,
            server: ServerName {
                addr: addr.parse().expect("an address"),
                port: 80,
            },
            spec: ssi_api::lvs::ServerSpec::default(),
        };
        let commands = [
            Command::AddService { service, spec },
            server("10.0.0.2"),
            server("10.0.0.3"),
        ];
        model.apply(&commands).expect("legal");
        model.export()
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(&directory.path().join("deeper")).expect("makes it");
        assert_eq!(store.load().expect("no file"), None);
        assert_eq!(store.keep("json.alone").expect("nothing to keep"), None);
        store.save(&saved()).expect("saves");
        store.save(&saved()).expect("saves again");
        assert_eq!(store.load().expect("loads"), Some(saved()));
        let copy = store.keep("json.alone").expect("copies").expect("a file");
        assert_eq!(
            Agreed::read(&fs::read(copy).expect("is there")).expect("is whole"),
            saved()
        );
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path()).expect("is there");
        store.save(&saved()).expect("saves");
        let path = directory.path().join("lvs.json");
        let text = fs::read(&path).expect("reads");
        fs::write(&path, &text[..text.len() / 2]).expect("writes");
        let error = store.load().expect_err("it is cut off").to_string();
        assert!(error.contains("lvs.json.bad"), "{error}");
        assert!(directory.path().join("lvs.json.bad").exists());
        assert_eq!(store.load().expect("nothing there now"), None);
    }

    #[test]
    fn an_earlier_format_is_known_and_a_later_one_not_guessed_at() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path()).expect("is there");
        let write = |text: &str| fs::write(directory.path().join("lvs.json"), text);
        let commands = serde_json::to_string(&saved().commands()).expect("JSON");
        write(&format!(r#"{{"version":1,"commands":{commands}}}"#)).expect("writes");
        let loaded = store.load().expect("loads").expect("is there");
        assert_eq!(loaded.commands(), saved().commands());
        write(r#"{"version":9,"commands":[]}"#).expect("writes");
        let error = store.load().expect_err("version 9").to_string();
        assert!(error.contains("version 9"), "{error}");
    }
}
