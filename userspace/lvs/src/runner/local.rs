//! What is wrong on this node alone: said once, and again when it is right.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use ssi_api::lvs::ServiceName;
use tracing::{info, warn};

use super::routes::Way;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Local {
    starved: BTreeSet<ServiceName>,
    nowhere: HashSet<IpAddr>,
}

impl Local {
    /// Services without a table.
    pub(super) fn starved(&mut self, now: &BTreeSet<ServiceName>) {
        for name in now.difference(&self.starved) {
            warn!(
                "no room for the table of {name} on this node, so it can't direct it; raise lvs.table_entries in ssi.toml (it takes effect after `ssid --unload`)"
            );
        }
        for name in self.starved.difference(now) {
            info!("there is room for the table of {name} now, or it is not wanted any more");
        }
        self.starved.clone_from(now);
    }

    /// Servers without a way.
    pub(super) fn ways(&mut self, changes: &[(IpAddr, Way)]) {
        for (addr, way) in changes {
            if way.local || way.ifindex != 0 {
                if self.nowhere.remove(addr) {
                    info!("there is a route to the real server {addr} now");
                }
            } else if self.nowhere.insert(*addr) {
                warn!(
                    "no route leads from this node to the real server {addr}: as a director it can't send anything there; `ip route get {addr}` shows the same"
                );
            }
        }
    }
}
