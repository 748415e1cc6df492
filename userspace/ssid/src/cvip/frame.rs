//! The frames that tell neighbours where an address is now.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result};
use etherparse::{ArpOperation, ArpPacket, EtherType, PacketBuilder};

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

const BROADCAST: Mac = [0xff; 6];
/// All nodes of the link (RFC 4291 §2.7.1), and its Ethernet address (RFC 2464 §7).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: Mac = [0x33, 0x33, 0, 0, 0, 1];

/// The announcement that `address` is at `mac`.
pub(super) fn announcement(address: IpAddr, mac: Mac) -> Result<Vec<u8>> {
    match address {
        IpAddr::V4(v4) => gratuitous_arp(v4, mac),
        IpAddr::V6(v6) => unsolicited_advertisement(v6, mac),
    }
}

/// An ARP announcement (RFC 5227 §3): a request with our own address as sender and target.
fn gratuitous_arp(address: Ipv4Addr, mac: Mac) -> Result<Vec<u8>> {
    let arp = ArpPacket::new(
        etherparse::ArpHardwareId::ETHERNET,
        EtherType::IPV4,
        ArpOperation::REQUEST,
        &mac,
        &address.octets(),
        &[0; 6],
        &address.octets(),
    )
    .context("cannot build an ARP packet")?;
    let builder = PacketBuilder::ethernet2(mac, BROADCAST).arp(arp);
    let mut frame = Vec::with_capacity(builder.size());
    builder
        .write(&mut frame)
        .context("cannot build an ARP packet")?;
    Ok(frame)
}

/// An unsolicited neighbour advertisement (RFC 4861 §7.2.6) that overrides.
fn unsolicited_advertisement(address: Ipv6Addr, mac: Mac) -> Result<Vec<u8>> {
    const ADVERTISEMENT: u8 = 136;
    const OVERRIDE: u8 = 0x20;
    const TARGET_LINK_ADDRESS: u8 = 2;
    let mut body = address.octets().to_vec();
    // One unit of 8 bytes.
    body.extend([TARGET_LINK_ADDRESS, 1]);
    body.extend(mac);
    let builder = PacketBuilder::ethernet2(mac, ALL_NODES_MAC)
        .ipv6(address.octets(), ALL_NODES.octets(), 255)
        .icmpv6_raw(ADVERTISEMENT, 0, [OVERRIDE, 0, 0, 0]);
    let mut frame = Vec::with_capacity(builder.size(body.len()));
    builder
        .write(&mut frame, &body)
        .context("cannot build a neighbour advertisement")?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 1];

    #[test]
    fn arp_byte_by_byte() {
        let frame = announcement("10.0.0.1".parse().unwrap(), MAC).unwrap();
        #[rustfmt::skip]
        assert_eq!(frame[..42], [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6,
            0, 1, 8, 0, 6, 4, 0, 1,
            2, 0, 0, 0, 0, 1, 10, 0, 0, 1,
            0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
        ]);
    }

    #[test]
    fn advertisement() {
        let frame = announcement("fd00::1".parse().unwrap(), MAC).unwrap();
        assert_eq!(frame.len(), 14 + 40 + 8 + 16 + 8);
        assert_eq!(frame[..6], ALL_NODES_MAC);
        // Hop limit, without which a receiver drops it.
        assert_eq!(frame[21], 255);
        assert_eq!(frame[54..56], [136, 0]);
        assert_eq!(frame[58], 0x20);
        assert_eq!(frame[78..], [2, 1, 2, 0, 0, 0, 0, 1]);
        // The checksum over pseudo-header and message is right: they sum to all ones.
        let mut sum = u32::from(frame[20]) + 32;
        for pair in frame[22..].chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        assert_eq!(sum, 0xffff);
    }
}
