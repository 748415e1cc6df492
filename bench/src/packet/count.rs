//! What became of the packets of a sample, all of them: a test run tells only the last
//! one's verdict.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use ssi_abi::counter;
use ssi_abi::service::ServiceKey;
use ssi_loader::Net;

use super::rig::PORT;

/// Counts of a packet path at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Packets given to servers of the service.
    packets: u64,
    /// Connections opened for them.
    connections: u64,
    /// Everything that is counted besides, most of it a reason to drop.
    events: Vec<(&'static str, u64)>,
}

impl Count {
    /// Reads them; those of a service if `vip` has one.
    pub(super) fn read(net: &Net, vip: IpAddr) -> Result<Self> {
        let maps = net.maps();
        let key = ServiceKey {
            addr: vip.into(),
            port: PORT.to_be(),
            protocol: 6,
            pad: 0,
        };
        let mut count = Self {
            events: maps.counters.all()?,
            ..Self::default()
        };
        if let Some(index) = maps.service_index.get(&key)? {
            for cpu in maps.service_stats.get(index)? {
                count.packets += cpu.in_packets;
                count.connections += cpu.connections;
            }
        }
        Ok(count)
    }

    /// Checks what happened since `before`: `packets` were forwarded, `connections` opened,
    /// and nothing else is to be told of any.
    pub(super) fn check(&self, before: &Self, packets: u64, connections: u64) -> Result<()> {
        let forwarded = self.packets - before.packets;
        let opened = self.connections - before.connections;
        let events: Vec<_> = self
            .events
            .iter()
            .zip(&before.events)
            .filter(|((_, now), (_, then))| now != then)
            .map(|((name, now), (_, then))| format!("{name}: {}", now - then))
            .collect();
        if forwarded == packets && opened == connections && events.is_empty() {
            return Ok(());
        }
        bail!(
            "of {packets} packets that are to be forwarded, {forwarded} were, and {opened} of \
             {connections} connections were opened {}: this measured something else",
            events.join(", ")
        )
    }
}

/// Checks that a table has as many connections as one CPU has room for.
pub(super) fn is_full(net: &Net, share: u32) -> Result<()> {
    let mut there = 0_u32;
    net.maps().conns4.for_each(|_, _| there += 1)?;
    let refused = net
        .maps()
        .counters
        .get(counter::TABLE_FULL)
        .context("the count of refusals")?;
    // The kernel holds back a few free entries for each CPU.
    if there < share / 100 * 99 || refused != 0 {
        bail!("the table has {there} of {share} connections, and refused {refused}");
    }
    Ok(())
}
