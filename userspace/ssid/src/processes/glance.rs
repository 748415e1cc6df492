//! Looks at processes of this node.

use std::io;

use serde::{Deserialize, Serialize};
use ssi_api::process::{Look, Looked, Reader, Swept};

/// Bytes of a sweep's answer, about: those of some 300 processes. Whoever looks at them gets through
/// with these before they are old, and asks for more then.
const PAGE: usize = 512 << 10;

/// What is to be looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Glance {
    /// Of which process.
    pub(crate) pid: u32,
    /// At what.
    pub(crate) what: Look,
    /// With whose rights. Nodes believe each other, as with signals.
    pub(crate) reader: Reader,
}

impl Glance {
    pub(super) fn see(self) -> Looked {
        ssi_vproc::look::look(self.pid, self.what, self.reader)
    }
}

/// All processes are to be looked at, as far as it goes into an answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// Only those with numbers above this.
    pub(crate) after: u32,
    /// With whose rights.
    pub(crate) reader: Reader,
}

impl Sweep {
    pub(super) fn see(self) -> io::Result<Swept> {
        let (processes, more) = ssi_vproc::look::sweep(self.after, self.reader, PAGE)?;
        Ok(Swept::Page { processes, more })
    }
}
