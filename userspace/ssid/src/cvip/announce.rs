//! Telling the neighbours where the addresses are now.

use std::collections::HashSet;
use std::mem::size_of;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use netlink_packet_route::link::LinkAttribute;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, sendto, socket,
};

use super::frame::{Mac, announcement};
use crate::config::Config;

/// How often, and how long apart: a single frame may be lost.
const TIMES: u32 = 3;
const APART: Duration = Duration::from_secs(1);

/// Announces addresses that this node directs from now on.
pub(crate) async fn announce(config: Config, directed: HashSet<IpAddr>) {
    for time in 0..TIMES {
        if time > 0 {
            tokio::time::sleep(APART).await;
        }
        for cvip in config
            .cvip
            .iter()
            .filter(|cvip| directed.contains(&cvip.address))
        {
            if let Err(e) = once(&cvip.interface, cvip.address).await {
                tracing::warn!(
                    "cannot announce {} on {}: {e:#}; neighbours find it when they ask",
                    cvip.address,
                    cvip.interface
                );
            }
        }
    }
}

async fn once(interface: &str, address: IpAddr) -> Result<()> {
    let index = if_nametoindex(interface).context("there is no such interface")?;
    let frame = announcement(address, mac(index).await?)?;
    send(index, &frame)
}

async fn mac(index: u32) -> Result<Mac> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    let connection = tokio::spawn(connection);
    let link = {
        let mut links = std::pin::pin!(handle.link().get().match_index(index).execute());
        links.try_next().await
    };
    connection.abort();
    let attributes = link?.context("there is no such interface")?.attributes;
    for attribute in attributes {
        if let LinkAttribute::Address(bytes) = attribute
            && let Ok(mac) = bytes.try_into()
        {
            return Ok(mac);
        }
    }
    bail!("it has no Ethernet address")
}

fn send(index: u32, frame: &[u8]) -> Result<()> {
    let socket: OwnedFd = socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .context("cannot open a packet socket")?;
    let raw = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: u16::from_ne_bytes([frame[12], frame[13]]),
        sll_ifindex: index.try_into()?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: `raw` is a whole sockaddr_ll with its family set, and its length is given.
    let to = unsafe {
        LinkAddr::from_raw(
            (&raw const raw).cast(),
            Some(size_of::<libc::sockaddr_ll>() as libc::socklen_t),
        )
    }
    .context("not a link address")?;
    sendto(socket.as_raw_fd(), frame, &to, MsgFlags::empty()).context("cannot send")?;
    Ok(())
}
