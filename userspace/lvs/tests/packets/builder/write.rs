//! From description to bytes, with lengths and checksums. The sums are etherparse's.

use std::net::IpAddr;

use etherparse::checksum::Sum16BitWords;

use super::{Body, Datagram, Extension, Packet};

/// Bytes of an Ethernet header.
pub const L3: usize = 14;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

impl Packet {
    /// The frame.
    pub fn bytes(&self) -> Vec<u8> {
        let kind: [u8; 2] = if self.ip.source.is_ipv4() {
            [8, 0]
        } else {
            [0x86, 0xdd]
        };
        let mut frame = [&self.to[..], &self.from, &kind].concat();
        frame.extend(self.ip.bytes());
        frame.resize(frame.len() + self.padding, 0);
        for (offset, bytes) in &self.patches {
            frame[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        frame.truncate(self.cut.unwrap_or(usize::MAX));
        frame
    }
}

impl Datagram {
    /// The IP packet.
    pub fn bytes(&self) -> Vec<u8> {
        let (protocol, body) = (self.body.protocol(self.source.is_ipv4()), self.transport());
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let header = 20 + self.options.len();
                let (more, offset) = self.fragment;
                let fragment =
                    u16::from(self.dont_fragment) << 14 | u16::from(more) << 13 | (offset / 8);
                let mut bytes = vec![0x40 | (header / 4) as u8, self.class];
                bytes.extend(((header + body.len()) as u16).to_be_bytes());
                bytes.extend(self.id.to_be_bytes());
                bytes.extend(fragment.to_be_bytes());
                bytes.extend([self.hops, protocol, 0, 0]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes.extend(&self.options);
                let sum = Sum16BitWords::new().add_slice(&bytes).ones_complement();
                bytes[10..12].copy_from_slice(&sum.to_ne_bytes());
                bytes.extend(body);
                bytes
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let extensions = self.extension_bytes(protocol);
                let first = self.extensions.first().map_or(protocol, Extension::number);
                let mut bytes = vec![0x60 | self.class >> 4, self.class << 4, 0, 0];
                bytes.extend(((extensions.len() + body.len()) as u16).to_be_bytes());
                bytes.extend([first, self.hops]);
                bytes.extend(source.octets());
                bytes.extend(destination.octets());
                bytes.extend(extensions);
                bytes.extend(body);
                bytes
            }
            mixed => panic!("one packet, two families: {mixed:?}"),
        }
    }

    fn extension_bytes(&self, protocol: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (i, extension) in self.extensions.iter().enumerate() {
            let next = self
                .extensions
                .get(i + 1)
                .map_or(protocol, Extension::number);
            bytes.extend(extension.bytes(next));
        }
        bytes
    }

    /// Transport header and payload.
    pub fn transport(&self) -> Vec<u8> {
        match &self.body {
            Body::Tcp(tcp) => {
                let mut bytes = ports(tcp.source, tcp.destination);
                bytes.extend([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80]);
                bytes.extend([((20 + tcp.options.len()) / 4 * 16) as u8, tcp.flags]);
                bytes.extend([0xff, 0x00, 0, 0, 0, 0]);
                bytes.extend(&tcp.options);
                bytes.extend(&tcp.payload);
                self.seal(bytes, 16, TCP, tcp.checksum)
            }
            Body::Udp(udp) => {
                let mut bytes = ports(udp.source, udp.destination);
                bytes.extend(((8 + udp.payload.len()) as u16).to_be_bytes());
                bytes.extend([0, 0]);
                bytes.extend(&udp.payload);
                self.seal(bytes, 6, UDP, udp.checksum)
            }
            Body::Icmp(icmp) => {
                let mut bytes = vec![icmp.kind, icmp.code, 0, 0];
                bytes.extend(icmp.rest);
                bytes.extend(&icmp.body);
                self.seal(bytes, 2, self.body.protocol(self.source.is_ipv4()), None)
            }
            Body::Ip(inner) => inner.bytes(),
            Body::Raw(_, bytes) => bytes.clone(),
        }
    }

    /// Puts the checksum, or another, at its place.
    fn seal(&self, mut bytes: Vec<u8>, at: usize, protocol: u8, other: Option<u16>) -> Vec<u8> {
        let mut sum = checksum(self.source, self.destination, protocol, &bytes);
        if protocol == UDP && sum == [0; 2] {
            sum = [0xff; 2];
        }
        bytes[at..at + 2].copy_from_slice(&other.map_or(sum, u16::to_be_bytes));
        bytes
    }
}

fn ports(source: u16, destination: u16) -> Vec<u8> {
    [source.to_be_bytes(), destination.to_be_bytes()].concat()
}

/// The complete checksum of a transport segment, with the pseudo-header where there is one.
pub fn checksum(source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> [u8; 2] {
    let len = segment.len() as u32;
    let sum = match (source, destination) {
        (IpAddr::V4(_), _) if protocol == 1 => Sum16BitWords::new(),
        (IpAddr::V4(source), IpAddr::V4(destination)) => Sum16BitWords::new()
            .add_4bytes(source.octets())
            .add_4bytes(destination.octets())
            .add_2bytes([0, protocol])
            .add_4bytes(len.to_be_bytes()),
        (IpAddr::V6(source), IpAddr::V6(destination)) => Sum16BitWords::new()
            .add_16bytes(source.octets())
            .add_16bytes(destination.octets())
            .add_2bytes([0, protocol])
            .add_4bytes(len.to_be_bytes()),
        mixed => panic!("one packet, two families: {mixed:?}"),
    };
    sum.add_slice(segment).ones_complement().to_ne_bytes()
}

impl Body {
    pub fn protocol(&self, v4: bool) -> u8 {
        match self {
            Self::Tcp(_) => TCP,
            Self::Udp(_) => UDP,
            Self::Icmp(_) if v4 => 1,
            Self::Icmp(_) => 58,
            Self::Ip(inner) if inner.source.is_ipv4() => 4,
            Self::Ip(_) => 41,
            Self::Raw(protocol, _) => *protocol,
        }
    }
}

impl Extension {
    fn number(&self) -> u8 {
        match self {
            Self::Options(number, _) => *number,
            Self::Authentication(_) => 51,
            Self::Fragment(..) => 44,
        }
    }

    fn bytes(&self, next: u8) -> Vec<u8> {
        match *self {
            Self::Options(_, units) => {
                let mut bytes = vec![0; units * 8];
                // One PadN option (RFC 8200 §4.2) to the end; of a routing header, the
                // type, with no segments left.
                bytes[..4].copy_from_slice(&[next, units as u8 - 1, 1, (units * 8 - 4) as u8]);
                bytes
            }
            Self::Authentication(words) => {
                let mut bytes = vec![0xa5; words * 4];
                bytes[..4].copy_from_slice(&[next, words as u8 - 2, 0, 0]);
                bytes
            }
            Self::Fragment(offset, more, id) => {
                let mut bytes = vec![next, 0];
                bytes.extend((offset | u16::from(more)).to_be_bytes());
                bytes.extend(id.to_be_bytes());
                bytes
            }
        }
    }
}
