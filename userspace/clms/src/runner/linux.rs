//! A Linux machine whose packet path is loaded.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ssi_loader::map::Maps;

use super::{Ask, Beat, Ground, Heard, Kernel, Probes, clock};
use crate::core::{NodeId, Time, View};

/// The machine: its kernel goes on when this process doesn't.
#[derive(Debug)]
pub struct Linux {
    kernel: Kernel,
    probes: Probes,
    own: Option<NodeId>,
    /// How long the leases last that this node gives as the master.
    lease: Duration,
}

impl Linux {
    /// A machine with this address on the interconnect; `own`: the life that goes on, if
    /// the daemon was restarted.
    ///
    /// # Errors
    /// The cluster's port can't be had at that address.
    pub fn new(
        maps: Arc<Maps>,
        address: IpAddr,
        own: Option<NodeId>,
        lease: Duration,
    ) -> io::Result<Self> {
        Ok(Self {
            kernel: Kernel::new(maps, own),
            probes: Probes::open(address)?,
            own,
            lease,
        })
    }
}

impl Ground for Linux {
    fn now(&self) -> Time {
        clock::now()
    }

    fn install(&mut self, view: &View, own: Option<NodeId>) -> io::Result<()> {
        self.own = own;
        self.kernel.install(view, own).map_err(io::Error::other)
    }

    fn lease(&self) -> Time {
        self.kernel.lease()
    }

    fn hold(&mut self, until: Time) {
        self.kernel.hold(until);
    }

    fn lower(&mut self, until: Time) {
        self.kernel.lower(until);
    }

    fn let_go(&mut self) {
        self.kernel.let_go();
    }

    fn probe(&mut self, view: &View, own: NodeId, probe: Ask) {
        self.probes.send(view, own, probe, self.lease);
    }

    fn beat(&mut self, view: &View, own: NodeId, beat: Beat) {
        self.probes.beat(view, own, beat);
    }

    async fn heard(&mut self) {
        self.probes.readable().await;
    }

    fn next(&mut self, view: &View) -> Option<Heard> {
        match self.own {
            Some(own) => self.probes.next(view, own),
            None => {
                self.probes.discard();
                None
            }
        }
    }
}
