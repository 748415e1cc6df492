//! Packets, said rather than spelled: `Packet::new(client, vip).tcp(4000, 80).syn()`.
//!
//! A packet stays a description until [`Packet::bytes`] writes it, with every length and
//! checksum computed in full. What forwarding should make of a packet is said by changing
//! the description ([`change`]), so what is expected never comes from the code under test.

mod change;
mod fragment;
pub mod write;

pub use write::checksum;

use std::net::IpAddr;

use crate::topology::{CLIENT_MAC, Mac, OUTSIDE_MAC};

/// A frame.
#[derive(Clone, Debug)]
pub struct Packet {
    pub to: Mac,
    pub from: Mac,
    pub ip: Datagram,
    /// Bytes behind the IP packet.
    pub padding: usize,
    /// Bytes written over the finished frame: offset, bytes.
    pub patches: Vec<(usize, Vec<u8>)>,
    /// Bytes that are left of the frame.
    pub cut: Option<usize>,
}

/// An IP packet.
#[derive(Clone, Debug)]
pub struct Datagram {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Type of service, traffic class.
    pub class: u8,
    /// Time to live, hop limit.
    pub hops: u8,
    /// IPv4.
    pub id: u16,
    /// IPv4.
    pub dont_fragment: bool,
    /// IPv4: more fragments, and the offset in bytes.
    pub fragment: (bool, u16),
    /// IPv4, padded to a multiple of 4.
    pub options: Vec<u8>,
    /// IPv6.
    pub extensions: Vec<Extension>,
    pub body: Body,
}

/// An IPv6 extension header.
#[derive(Clone, Debug)]
pub enum Extension {
    /// Hop-by-hop options (0), routing (43) or destination options (60), of 8·n bytes.
    Options(u8, usize),
    /// Authentication (51), of 4·n bytes.
    Authentication(usize),
    /// Fragment: offset in bytes, more, identification.
    Fragment(u16, bool, u32),
}

/// What an IP packet carries.
#[derive(Clone, Debug)]
pub enum Body {
    Tcp(Tcp),
    Udp(Udp),
    Icmp(Icmp),
    /// A tunnel.
    Ip(Box<Datagram>),
    /// Protocol, bytes.
    Raw(u8, Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Tcp {
    pub source: u16,
    pub destination: u16,
    pub flags: u8,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
    /// Instead of the right one.
    pub checksum: Option<u16>,
}

#[derive(Clone, Debug)]
pub struct Udp {
    pub source: u16,
    pub destination: u16,
    pub payload: Vec<u8>,
    /// Instead of the right one.
    pub checksum: Option<u16>,
}

/// ICMP or ICMPv6.
#[derive(Clone, Debug)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
    pub rest: [u8; 4],
    pub body: Vec<u8>,
}

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// Bytes that tell their place.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 256 + 1) as u8).collect()
}

impl Packet {
    /// From a client to us; the body is to be said.
    pub fn new(source: IpAddr, destination: IpAddr) -> Self {
        Self {
            to: OUTSIDE_MAC,
            from: CLIENT_MAC,
            ip: Datagram {
                source,
                destination,
                class: 0,
                hops: 61,
                id: 0x1234,
                dont_fragment: true,
                fragment: (false, 0),
                options: Vec::new(),
                extensions: Vec::new(),
                body: Body::Raw(59, Vec::new()),
            },
            padding: 0,
            patches: Vec::new(),
            cut: None,
        }
    }

    pub fn macs(mut self, to: Mac, from: Mac) -> Self {
        (self.to, self.from) = (to, from);
        self
    }

    pub fn hops(mut self, hops: u8) -> Self {
        self.ip.hops = hops;
        self
    }

    pub fn class(mut self, class: u8) -> Self {
        self.ip.class = class;
        self
    }

    /// Clears "don't fragment".
    pub fn may_fragment(mut self) -> Self {
        self.ip.dont_fragment = false;
        self
    }

    /// IPv4 options: "no operation" and a record-route of the rest, `bytes` in all.
    pub fn options(mut self, bytes: usize) -> Self {
        assert!(self.ip.source.is_ipv4() && bytes.is_multiple_of(4) && bytes <= 40);
        self.ip.options = vec![1; bytes];
        if bytes >= 8 {
            self.ip.options[1..4].copy_from_slice(&[7, bytes as u8 - 1, 4]);
            self.ip.options[4..].fill(0);
        }
        self
    }

    pub fn extension(mut self, extension: Extension) -> Self {
        assert!(self.ip.source.is_ipv6());
        self.ip.extensions.push(extension);
        self
    }

    pub fn tcp(mut self, source: u16, destination: u16) -> Self {
        self.ip.body = Body::Tcp(Tcp {
            source,
            destination,
            flags: ACK,
            options: Vec::new(),
            payload: Vec::new(),
            checksum: None,
        });
        self
    }

    pub fn flags(mut self, flags: u8) -> Self {
        let Body::Tcp(tcp) = &mut self.ip.body else {
            panic!("flags are TCP's");
        };
        tcp.flags = flags;
        self
    }

    pub fn syn(self) -> Self {
        self.flags(SYN).tcp_options(vec![2, 4, 5, 0xb4, 1, 3, 3, 7])
    }

    pub fn fin(self) -> Self {
        self.flags(FIN | ACK)
    }

    pub fn rst(self) -> Self {
        self.flags(RST)
    }

    pub fn tcp_options(mut self, options: Vec<u8>) -> Self {
        let Body::Tcp(tcp) = &mut self.ip.body else {
            panic!("these are TCP's options");
        };
        assert!(options.len().is_multiple_of(4));
        tcp.options = options;
        self
    }

    pub fn udp(mut self, source: u16, destination: u16) -> Self {
        self.ip.body = Body::Udp(Udp {
            source,
            destination,
            payload: pattern(20),
            checksum: None,
        });
        self
    }

    /// `len` bytes for TCP or UDP to carry.
    pub fn payload(mut self, len: usize) -> Self {
        match &mut self.ip.body {
            Body::Tcp(tcp) => tcp.payload = pattern(len),
            Body::Udp(udp) => udp.payload = pattern(len),
            Body::Icmp(icmp) => icmp.body = pattern(len),
            other => panic!("no payload in {other:?}"),
        }
        self
    }

    /// The checksum of TCP or UDP, right or not.
    pub fn checksum(mut self, checksum: u16) -> Self {
        match &mut self.ip.body {
            Body::Tcp(tcp) => tcp.checksum = Some(checksum),
            Body::Udp(udp) => udp.checksum = Some(checksum),
            other => panic!("no such checksum in {other:?}"),
        }
        self
    }

    pub fn icmp(mut self, kind: u8, code: u8, rest: [u8; 4]) -> Self {
        self.ip.body = Body::Icmp(Icmp {
            kind,
            code,
            rest,
            body: Vec::new(),
        });
        self
    }

    /// Echo request.
    pub fn echo(self) -> Self {
        let kind = if self.ip.source.is_ipv4() { 8 } else { 128 };
        self.icmp(kind, 0, [0, 9, 0, 1]).payload(32)
    }

    /// The first `bytes` of a packet, quoted in an error.
    pub fn quoting(mut self, packet: &Self, bytes: usize) -> Self {
        let Body::Icmp(icmp) = &mut self.ip.body else {
            panic!("only ICMP quotes");
        };
        icmp.body = packet.ip.bytes();
        icmp.body.truncate(bytes);
        self
    }

    pub fn raw(mut self, protocol: u8, bytes: Vec<u8>) -> Self {
        self.ip.body = Body::Raw(protocol, bytes);
        self
    }

    /// A tunnel around another packet.
    pub fn carrying(mut self, inner: &Self) -> Self {
        self.ip.body = Body::Ip(Box::new(inner.ip.clone()));
        self
    }

    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    /// Writes over the finished frame; checksums stay as they were.
    pub fn patch(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.patches.push((offset, bytes.to_vec()));
        self
    }

    /// Leaves the first `bytes` of the frame.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// Bytes of the IP packet, as statistics count.
    pub fn size(&self) -> u64 {
        self.ip.bytes().len() as u64
    }
}
