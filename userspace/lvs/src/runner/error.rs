use std::io;

use ssi_loader::LoadError;
use thiserror::Error;

use super::store::StoreError;
use crate::core::{Refused, Unusable};

/// Why the scheduler could not do what it was asked.
#[derive(Debug, Error)]
pub enum LvsError {
    /// A command makes no sense as things are; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What other nodes agree on can't be taken over; nothing changed.
    #[error("the scheduler's state of another node can't be taken over: {0}")]
    Unusable(#[from] Unusable),
    /// The kernel's maps.
    #[error(transparent)]
    Kernel(#[from] LoadError),
    /// It was done, but a reboot will undo it.
    #[error("done, but not saved, so that a reboot will undo it: {0}")]
    Unsaved(#[source] StoreError),
    /// The directory for the configuration.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame could not be sent.
    #[error("sending: {0}")]
    Send(#[from] io::Error),
    /// Threads or sockets.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
