//! Whether every checksum of a frame holds, parsed and summed by etherparse.

use std::net::IpAddr;

use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket};

use crate::builder::checksum;

/// Finds the first checksum of a frame that is wrong.
pub fn checksums(frame: &[u8]) -> Result<(), String> {
    let sliced = LaxSlicedPacket::from_ethernet(frame).map_err(|error| error.to_string())?;
    network(&sliced, "")
}

fn network(sliced: &LaxSlicedPacket<'_>, place: &str) -> Result<(), String> {
    let (source, destination, payload): (IpAddr, IpAddr, _) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let right = header.to_header().calc_header_checksum();
            if right != header.header_checksum() {
                return Err(format!(
                    "{place}IPv4 header checksum is {:04x}, not {right:04x}",
                    header.header_checksum()
                ));
            }
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                ip.payload(),
            )
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                ip.payload(),
            )
        }
        _ => return Ok(()),
    };
    if payload.fragmented || payload.incomplete {
        return Ok(());
    }
    transport(
        source,
        destination,
        payload.ip_number,
        payload.payload,
        place,
    )
}

fn transport(
    source: IpAddr,
    destination: IpAddr,
    number: IpNumber,
    segment: &[u8],
    place: &str,
) -> Result<(), String> {
    let name = match number {
        IpNumber::IPV4 | IpNumber::IPV6 => {
            let inner = LaxSlicedPacket::from_ip(segment).map_err(|error| error.to_string())?;
            return network(&inner, &format!("{place}inner "));
        }
        IpNumber::UDP if segment.get(6..8) == Some(&[0, 0]) && source.is_ipv4() => return Ok(()),
        IpNumber::TCP => "TCP",
        IpNumber::UDP => "UDP",
        IpNumber::ICMP => "ICMP",
        IpNumber::IPV6_ICMP => "ICMPv6",
        _ => return Ok(()),
    };
    // With the checksum in place, the complement of the sum is 0.
    let rest = checksum(source, destination, number.0, segment);
    if rest != [0; 2] {
        return Err(format!("{place}{name} checksum is off by {rest:02x?}"));
    }
    quote(number, segment, place)
}

/// The IPv4 header that an ICMP error quotes has a checksum of its own.
fn quote(number: IpNumber, segment: &[u8], place: &str) -> Result<(), String> {
    let error = number == IpNumber::ICMP && matches!(segment.first(), Some(3 | 4 | 11 | 12));
    if !error || segment.len() < 28 {
        return Ok(());
    }
    match LaxSlicedPacket::from_ip(&segment[8..]).map(|quoted| quoted.net) {
        Ok(Some(LaxNetSlice::Ipv4(ip))) => {
            let header = ip.header();
            if header.to_header().calc_header_checksum() == header.header_checksum() {
                Ok(())
            } else {
                Err(format!("{place}quoted IPv4 header checksum is wrong"))
            }
        }
        _ => Ok(()),
    }
}
