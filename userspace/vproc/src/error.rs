use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why processes could not be looked at.
#[derive(Debug, Error)]
pub enum Error {
    /// The kernel's tracing failed.
    #[error(transparent)]
    Kernel(#[from] ssi_loader::LoadError),
    /// It takes tracing, and there is none.
    #[error("{0} takes tracing, which is not to be had here; see: ssi doctor")]
    Untraced(&'static str),
    /// A file of /proc could not be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of /proc says something that it does not say on any kernel we know.
    #[error("{path}: not understood")]
    Strange {
        /// Which.
        path: PathBuf,
    },
}
