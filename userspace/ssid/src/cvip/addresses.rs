//! Addresses on interfaces, over rtnetlink.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressScope, CacheInfo,
};
use nix::net::if_::{if_nameindex, if_nametoindex};
use rtnetlink::Handle;
use tokio::task::JoinHandle;

use super::ledger::Place;

/// A connection to rtnetlink.
pub(super) struct Addresses {
    handle: Handle,
    connection: JoinHandle<()>,
}

impl Drop for Addresses {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Addresses {
    pub(super) fn open() -> Result<Self> {
        let (connection, handle, _) =
            rtnetlink::new_connection().context("cannot talk to rtnetlink")?;
        Ok(Self {
            handle,
            connection: tokio::spawn(connection),
        })
    }

    /// Every address of this machine.
    pub(super) async fn present(&self) -> Result<BTreeSet<Place>> {
        let names: HashMap<u32, String> = if_nameindex()
            .context("cannot list the interfaces")?
            .iter()
            .filter_map(|i| Some((i.index(), i.name().to_str().ok()?.to_owned())))
            .collect();
        let mut present = BTreeSet::new();
        let mut messages = std::pin::pin!(self.handle.address().get().execute());
        while let Some(message) = messages
            .try_next()
            .await
            .context("cannot list the addresses")?
        {
            let Some(name) = names.get(&message.header.index) else {
                continue;
            };
            for attribute in &message.attributes {
                if let AddressAttribute::Address(address) | AddressAttribute::Local(address) =
                    attribute
                {
                    present.insert(Place::new(name, *address));
                }
            }
        }
        Ok(present)
    }

    pub(super) async fn add(&self, place: &Place) -> Result<()> {
        let index = index(place)?;
        let mut request = self
            .handle
            .address()
            .add(index, place.address, bits(place.address));
        let message = request.message_mut();
        if place.interface == "lo" {
            // So the kernel never picks it as the source of our own packets.
            message.header.scope = AddressScope::Host;
        }
        if place.address.is_ipv6() {
            // The address is on several nodes by intent: no duplicate detection.
            message.header.flags |= AddressHeaderFlags::Nodad;
            let flags = AddressAttribute::Flags(AddressFlags::Nodad);
            message.attributes.push(flags);
            // Deprecated: taken, but never picked as the source of our own packets.
            let mut lifetimes = CacheInfo::default();
            lifetimes.ifa_preferred = 0;
            lifetimes.ifa_valid = u32::MAX;
            message
                .attributes
                .push(AddressAttribute::CacheInfo(lifetimes));
        }
        Ok(request.execute().await?)
    }

    pub(super) async fn remove(&self, place: &Place) -> Result<()> {
        let index = index(place)?;
        // A delete request has the same attributes as the one that added it.
        let mut add = self
            .handle
            .address()
            .add(index, place.address, bits(place.address));
        let message = add.message_mut().clone();
        Ok(self.handle.address().del(message).execute().await?)
    }
}

fn index(place: &Place) -> Result<u32> {
    if_nametoindex(place.interface.as_str())
        .with_context(|| format!("there is no interface {}", place.interface))
}

const fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
