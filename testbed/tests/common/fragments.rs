//! UDP datagrams in IPv4 and IPv6 fragments, sent in any order.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// Fragments carry this much: a multiple of 8.
const PIECE: usize = 1024;

/// A datagram cut into fragments, each ready for [`send`].
pub struct Datagram {
    source: IpAddr,
    target: SocketAddr,
    id: u16,
    udp: Vec<u8>,
}

impl Datagram {
    /// From `source` to `target`.
    pub fn new(source: SocketAddr, target: SocketAddr, id: u16, payload: &[u8]) -> Self {
        let length = u16::try_from(8 + payload.len()).expect("fits a datagram");
        let mut udp = Vec::with_capacity(8 + payload.len());
        udp.extend(source.port().to_be_bytes());
        udp.extend(target.port().to_be_bytes());
        udp.extend(length.to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(payload);
        let checksum = checksum(source.ip(), target.ip(), &udp);
        udp[6..8].copy_from_slice(&checksum.to_be_bytes());
        Self {
            source: source.ip(),
            target,
            id,
            udp,
        }
    }

    /// The IP packets, first fragment first.
    pub fn fragments(&self) -> Vec<Vec<u8>> {
        let last = (self.udp.len() - 1) / PIECE;
        self.udp
            .chunks(PIECE)
            .enumerate()
            .map(|(index, piece)| {
                let offset = u16::try_from(index * PIECE / 8).expect("13 bits");
                let mut packet = match (self.source, self.target.ip()) {
                    (IpAddr::V4(source), IpAddr::V4(target)) => {
                        header4(source, target, self.id, offset, index < last, piece.len())
                    }
                    (IpAddr::V6(source), IpAddr::V6(target)) => {
                        header6(source, target, self.id, offset, index < last, piece.len())
                    }
                    _ => panic!("one address family"),
                };
                packet.extend(piece);
                packet
            })
            .collect()
    }

    /// A socket that sends such packets as they are.
    pub fn socket(&self) -> io::Result<Socket> {
        let domain = Domain::for_address(self.target);
        // IPPROTO_RAW: the kernel expects our own IP header, for both families.
        Socket::new(domain, Type::RAW, Some(Protocol::from(255)))
    }

    /// Where [`socket`](Self::socket) sends them; raw sockets take no port.
    pub fn destination(&self) -> SockAddr {
        SocketAddr::new(self.target.ip(), 0).into()
    }
}

/// RFC 791. The kernel fills in the header checksum.
fn header4(
    source: Ipv4Addr,
    target: Ipv4Addr,
    id: u16,
    offset: u16,
    more: bool,
    length: usize,
) -> Vec<u8> {
    let total = u16::try_from(20 + length).expect("a fragment");
    let flags = offset | if more { 0x2000 } else { 0 };
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend(id.to_be_bytes());
    header.extend(flags.to_be_bytes());
    header.extend([64, 17, 0, 0]);
    header.extend(source.octets());
    header.extend(target.octets());
    header
}

/// RFC 8200 §3 and §4.5.
fn header6(
    source: Ipv6Addr,
    target: Ipv6Addr,
    id: u16,
    offset: u16,
    more: bool,
    length: usize,
) -> Vec<u8> {
    let payload = u16::try_from(8 + length).expect("a fragment");
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(payload.to_be_bytes());
    header.extend([44, 64]);
    header.extend(source.octets());
    header.extend(target.octets());
    header.extend([17, 0]);
    header.extend((offset << 3 | u16::from(more)).to_be_bytes());
    header.extend(u32::from(id).to_be_bytes());
    header
}

/// RFC 768: over the pseudo header and the datagram.
fn checksum(source: IpAddr, target: IpAddr, udp: &[u8]) -> u16 {
    let mut bytes = match (source, target) {
        (IpAddr::V4(source), IpAddr::V4(target)) => [source.octets(), target.octets()].concat(),
        (IpAddr::V6(source), IpAddr::V6(target)) => [source.octets(), target.octets()].concat(),
        _ => panic!("one address family"),
    };
    bytes.extend((u32::try_from(udp.len()).expect("fits a datagram")).to_be_bytes());
    bytes.extend([0, 0, 0, 17]);
    bytes.extend(udp);
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    match !(u16::try_from(sum).expect("folded")) {
        0 => 0xffff,
        checksum => checksum,
    }
}
