use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the BPF side could not be brought up, or a map not be read or written.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The build had no bpf-linker.
    #[error(
        "this ssi was built without its BPF object \"{0}\": run `make toolchain` and build again"
    )]
    NotBuilt(&'static str),
    /// No right to use BPF.
    #[error(
        "{what}: not permitted; it needs root, or the capabilities CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
    )]
    NotPermitted {
        /// What was tried.
        what: String,
    },
    /// The kernel refused a program or the object as a whole.
    #[error("the kernel refused {what}: {reason}")]
    Refused {
        /// Which program or object.
        what: String,
        /// The kernel's words, the verifier's last lines included.
        reason: String,
    },
    /// No mode of attachment worked.
    #[error("cannot attach to {interface}: {reason}")]
    Attach {
        /// Which interface.
        interface: String,
        /// What each mode said.
        reason: String,
    },
    /// A file or directory of pins.
    #[error("{path}: {source}")]
    Pin {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A map operation failed.
    #[error("map {map}: cannot {operation}: {source}")]
    Map {
        /// Which map.
        map: &'static str,
        /// "read", "write", …
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl LoadError {
    /// What the kernel said, without what it was about.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Refused { reason, .. } => reason,
            other => other.to_string(),
        }
    }

    /// An error of the system about a program, with "not permitted" told apart.
    pub(crate) fn refused(
        what: impl Into<String>,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        let what = what.into();
        let mut reason = String::new();
        let mut next = Some(error);
        let mut io = None;
        while let Some(error) = next {
            if !reason.is_empty() {
                reason.push_str(": ");
            }
            reason.push_str(&error.to_string());
            io = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::raw_os_error)
                .or(io);
            next = error.source();
        }
        if io == Some(libc::EPERM) {
            return Self::NotPermitted { what };
        }
        // A verifier log runs to thousands of lines; the end has the reason.
        let lines: Vec<_> = reason.lines().collect();
        let reason = lines[lines.len().saturating_sub(12)..].join("\n");
        Self::Refused { what, reason }
    }
}
