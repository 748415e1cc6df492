//! A look at a process of this node.

use serde::{Deserialize, Serialize};
use ssi_api::process::{Look, Looked, Reader};

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
