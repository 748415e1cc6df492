use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use ssi_api::lvs::{ServerName, ServerSpec};

/// The addresses of nodes whose servers take no new connections, because of what the
/// nodes are doing; part of what all nodes agree on. Servers of any other address, nodes'
/// or not, go by their weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// About to leave: as if the servers' weights were 0, so that they keep their
    /// connections while they are still there.
    pub leaving: BTreeSet<IpAddr>,
    /// Gone: their servers own nothing, and nothing is sent to them.
    pub down: BTreeSet<IpAddr>,
}

impl Absent {
    /// Whether a server is gone with its node.
    #[must_use]
    pub fn down(&self, server: &ServerName) -> bool {
        self.down.contains(&server.addr)
    }

    /// The weight that a server has as long as its node does what it does.
    #[must_use]
    pub fn weight(&self, server: &ServerName, spec: &ServerSpec) -> u32 {
        if self.down(server) || self.leaving.contains(&server.addr) {
            0
        } else {
            spec.weight
        }
    }

    /// Whether the two say different things of an address.
    pub(super) fn differ(&self, other: &Self, addr: IpAddr) -> bool {
        self.down.contains(&addr) != other.down.contains(&addr)
            || self.leaving.contains(&addr) != other.leaving.contains(&addr)
    }
}
