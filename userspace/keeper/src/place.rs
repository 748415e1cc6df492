//! Where sockets are held.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::message::Word;
use crate::process::{self, Connection};
use crate::store;

/// Who holds them.
#[derive(Debug)]
pub(crate) enum Place {
    /// The service manager.
    Store,
    /// A process of ours, which is found here; none: it doesn't run yet.
    Process {
        path: PathBuf,
        connection: Option<Connection>,
    },
}

impl Place {
    /// Whoever can; with what is held already.
    pub(crate) fn find(directory: &Path) -> (Self, Vec<OwnedFd>) {
        if store::is_offered() {
            return (Self::Store, store::take());
        }
        let path = process::path(directory);
        let mut sockets = Vec::new();
        let connection = match Connection::open(&path) {
            Ok(None) => None,
            Ok(Some(connection)) => match connection.ask(Word::Give, &[]) {
                Ok(held) => {
                    sockets = held;
                    Some(connection)
                }
                Err(error) => {
                    let pid = connection.pid();
                    tracing::warn!("the keeper (process {pid}) gives nothing: {error}; kill it");
                    None
                }
            },
            Err(error) => {
                tracing::warn!("cannot ask at {}: {error}", path.display());
                None
            }
        };
        (Self::Process { path, connection }, sockets)
    }

    /// Has these held, and nothing else.
    pub(crate) fn hold(&mut self, sockets: &[OwnedFd]) -> io::Result<()> {
        match self {
            Self::Store => store::hold(sockets),
            Self::Process { path, connection } => {
                if let Some(running) = connection
                    && running.ask(Word::Hold, sockets).is_ok()
                {
                    return Ok(());
                }
                let started = Connection::start(path)?;
                match started.ask(Word::Hold, sockets) {
                    Ok(_) => {
                        *connection = Some(started);
                        Ok(())
                    }
                    Err(error) => {
                        started.give_up();
                        Err(error)
                    }
                }
            }
        }
    }
}
