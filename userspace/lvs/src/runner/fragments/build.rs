//! A held frame, made ready for its server: what the packet path does to the frames that
//! come in order.

use std::net::IpAddr;

use etherparse::{EtherType, IpNumber, Ipv4Header, Ipv6Header};
use ssi_abi::server::{Server, flag, method};

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
/// Time to live of outer headers.
const TTL: u8 = 64;

/// The frame as it is to leave towards the server; none if it can't.
pub(super) fn towards(frame: &[u8], server: &Server) -> Option<Vec<u8>> {
    if server.flags & flag::RESOLVED == 0 {
        return None;
    }
    let packet = hop(frame.get(ETHERNET..)?)?;
    let packet = match server.method {
        method::TUNNEL => wrapped(&packet, server)?,
        method::NAT => translated(&packet, server)?,
        _ => packet,
    };
    if server.mtu != 0 && packet.len() > usize::from(server.mtu) {
        return None;
    }
    let kind = if packet[0] >> 4 == 4 {
        EtherType::IPV4
    } else {
        EtherType::IPV6
    };
    let mut out = Vec::with_capacity(ETHERNET + packet.len());
    out.extend(server.next_hop);
    out.extend(server.own_mac);
    out.extend(kind.0.to_be_bytes());
    out.extend(packet);
    Some(out)
}

/// One hop less, without padding behind the packet.
fn hop(packet: &[u8]) -> Option<Vec<u8>> {
    match packet.first()? >> 4 {
        4 => {
            let (mut header, rest) = Ipv4Header::from_slice(packet).ok()?;
            header.time_to_live = header.time_to_live.checked_sub(1).filter(|ttl| *ttl > 0)?;
            let payload = usize::from(header.total_len).checked_sub(header.header_len())?;
            v4(header, rest.get(..payload)?)
        }
        6 => {
            let (mut header, rest) = Ipv6Header::from_slice(packet).ok()?;
            header.hop_limit = header.hop_limit.checked_sub(1).filter(|hops| *hops > 0)?;
            v6(&header, rest.get(..usize::from(header.payload_length))?)
        }
        _ => None,
    }
}

fn v4(mut header: Ipv4Header, payload: &[u8]) -> Option<Vec<u8>> {
    header.set_payload_len(payload.len()).ok()?;
    header.header_checksum = header.calc_header_checksum();
    let mut out = Vec::new();
    header.write(&mut out).ok()?;
    out.extend(payload);
    Some(out)
}

fn v6(header: &Ipv6Header, payload: &[u8]) -> Option<Vec<u8>> {
    let mut header = header.clone();
    header.set_payload_length(payload.len()).ok()?;
    let mut out = Vec::new();
    header.write(&mut out).ok()?;
    out.extend(payload);
    Some(out)
}

fn wrapped(packet: &[u8], server: &Server) -> Option<Vec<u8>> {
    let inner = if packet[0] >> 4 == 4 {
        IpNumber::IPV4
    } else {
        IpNumber::IPV6
    };
    match (IpAddr::from(server.source), IpAddr::from(server.addr)) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let (source, destination) = (source.octets(), destination.octets());
            let length = u16::try_from(packet.len()).ok()?;
            let header = Ipv4Header::new(length, TTL, inner, source, destination).ok()?;
            v4(header, packet)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                next_header: inner,
                hop_limit: TTL,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            v6(&header, packet)
        }
        _ => None,
    }
}

/// Only the address: a later fragment has neither ports nor checksum.
fn translated(packet: &[u8], server: &Server) -> Option<Vec<u8>> {
    match IpAddr::from(server.addr) {
        IpAddr::V4(destination) => {
            let (mut header, payload) = Ipv4Header::from_slice(packet).ok()?;
            header.destination = destination.octets();
            v4(header, payload)
        }
        IpAddr::V6(destination) => {
            let (mut header, payload) = Ipv6Header::from_slice(packet).ok()?;
            header.destination = destination.octets();
            v6(&header, payload)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn server(addr: &str, method: u8) -> Server {
        let source: IpAddr = if addr.contains(':') {
            "fd77::1"
        } else {
            "10.77.0.1"
        }
        .parse()
        .unwrap();
        Server {
            addr: addr.parse::<IpAddr>().unwrap().into(),
            source: source.into(),
            method,
            flags: flag::RESOLVED,
            next_hop: [4; 6],
            own_mac: [2; 6],
            ..Server::default()
        }
    }

    fn frame() -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0]);
        let mut header =
            Ipv4Header::new(24, 9, IpNumber::UDP, [1, 2, 3, 4], [10, 88, 0, 100]).unwrap();
        header.fragment_offset = 100.try_into().unwrap();
        frame.extend(v4(header, &[7; 24]).unwrap());
        frame.extend([0; 6]);
        frame
    }

    #[test]
    fn each_method() {
        let direct = towards(&frame(), &server("10.77.0.2", method::DIRECT)).unwrap();
        assert_eq!(direct[..14], [4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 8, 0]);
        let (header, rest) = Ipv4Header::from_slice(&direct[14..]).unwrap();
        assert_eq!((header.time_to_live, rest), (8, &[7; 24][..]));
        assert_eq!(header.header_checksum, header.calc_header_checksum());

        let nat = towards(&frame(), &server("10.77.0.2", method::NAT)).unwrap();
        let (header, _) = Ipv4Header::from_slice(&nat[14..]).unwrap();
        assert_eq!(header.destination, [10, 77, 0, 2]);
        assert_eq!(header.header_checksum, header.calc_header_checksum());

        let tunnel = towards(&frame(), &server("fd77::2", method::TUNNEL)).unwrap();
        assert_eq!(tunnel[12..14], [0x86, 0xdd]);
        let (outer, inner) = Ipv6Header::from_slice(&tunnel[14..]).unwrap();
        assert_eq!((outer.next_header, inner), (IpNumber::IPV4, &direct[14..]));
    }

    proptest! {
        #[test]
        fn no_frame_is_too_strange(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            for method in [method::DIRECT, method::TUNNEL, method::NAT] {
                let _ = towards(&frame, &server("10.77.0.2", method));
                let _ = towards(&frame, &server("fd77::2", method));
            }
        }
    }
}
