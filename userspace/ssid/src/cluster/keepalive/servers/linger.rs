//! Real servers whose processes have gone, and whose nodes have not: connections that the
//! processes had ended are still being sent what was left in their nodes' sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ssi_api::lvs::{ServerName, ServiceName};

/// How long a real server stays, without new connections, after its processes have gone: as
/// long as a connection is remembered after its FIN (the scheduler's timeout, which is IPVS's).
pub(in super::super) const LINGER: Duration = Duration::from_secs(120);

/// Since when real servers are without their processes, as the master saw it. Another master
/// begins anew.
#[derive(Debug, Default)]
pub(in super::super) struct Lingering {
    since: BTreeMap<(ServiceName, ServerName), Instant>,
    seen: BTreeSet<(ServiceName, ServerName)>,
}

impl Lingering {
    /// Whether one stays for now. `there`: the addresses of nodes that are there.
    pub(super) fn stays(
        &mut self,
        server: (ServiceName, ServerName),
        there: &BTreeSet<IpAddr>,
        now: Instant,
    ) -> bool {
        if !there.contains(&server.1.addr) {
            return false;
        }
        self.seen.insert(server);
        now.duration_since(*self.since.entry(server).or_insert(now)) < LINGER
    }

    /// All were asked for: those that were not have their processes again, or have gone.
    pub(super) fn forget_others(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        self.since.retain(|server, _| seen.contains(server));
    }
}
