//! The addresses of the interfaces that XDP programs are attached to, which can't tell frames
//! for this host from others that come by.

use std::collections::HashSet;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::LinkAddr;
use ssi_abi::link::{Link, place};

use super::{Net, Working};
use crate::LoadError;

impl Net {
    /// Looks which addresses the interfaces have that XDP programs are attached to: they may
    /// have others by now (`ip link set address`, a bond's new port). Until that is seen, frames
    /// to the new address are left to the stack.
    ///
    /// # Errors
    /// The interfaces can't be listed, or the map not written.
    pub fn look_at_links(&self) -> Result<(), LoadError> {
        let xdp = |working| matches!(working, Working::Native | Working::Generic);
        let attached = self.attachments.iter();
        let by_xdp: HashSet<&str> = attached
            .filter(|attachment| xdp(attachment.working))
            .map(|attachment| attachment.interface.as_str())
            .collect();
        if by_xdp.is_empty() {
            return Ok(());
        }
        let all =
            getifaddrs().map_err(|error| LoadError::refused("to list the interfaces", &error))?;
        for found in all.filter(|found| by_xdp.contains(found.interface_name.as_str())) {
            let address = found.address.as_ref().and_then(|a| a.as_link_addr());
            let Some(mac) = address.and_then(LinkAddr::addr) else {
                continue;
            };
            let Ok(ifindex) = if_nametoindex(found.interface_name.as_str()) else {
                continue;
            };
            let link = Link {
                ifindex,
                mac,
                pad: 0,
            };
            let links = &self.maps.links;
            if links.get(place(ifindex))? != link {
                links.set(place(ifindex), &link)?;
            }
        }
        Ok(())
    }
}
