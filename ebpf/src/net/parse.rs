//! What a packet says of itself, checked against what is there.

use ssi_abi::{Addr, counter};

use crate::headers::{FRAGMENT_OFFSET, Ipv4, Ipv6, L3, MORE_FRAGMENTS, Ports, Tcp, Udp, protocol};
use crate::packet::{FARTHEST, Packet, at, far, ip_bytes};

/// Which part of a datagram a packet is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The first fragment, which has the ports.
    First,
    /// Any other fragment.
    Later,
}

/// A packet, understood.
pub struct Parsed {
    pub source: Addr,
    pub destination: Addr,
    /// Network order; 0 where there are none.
    pub source_port: u16,
    /// Network order; 0 where there are none.
    pub destination_port: u16,
    /// Transport protocol, behind all extension headers.
    pub protocol: u8,
    /// TCP flags; 0 for anything else.
    pub flags: u8,
    pub part: Part,
    /// Offset of the transport header.
    pub l4: u32,
    /// Bytes of the IP packet.
    pub length: u32,
    /// Fragments: the identification.
    pub id: u32,
}

impl Parsed {
    /// Both ports as they lie in the packet.
    #[inline(always)]
    pub fn ports(&self) -> u32 {
        u32::from(self.source_port) | u32::from(self.destination_port) << 16
    }

    #[inline(always)]
    pub fn is_tcp(&self) -> bool {
        self.protocol == protocol::TCP
    }

    /// Whether it may open a connection: a SYN, or anything that isn't TCP.
    #[inline(always)]
    pub fn opens(&self) -> bool {
        use crate::headers::tcp::{ACK, FIN, RST, SYN};
        !self.is_tcp() || self.flags & (SYN | ACK | RST | FIN) == SYN
    }

    /// Whether it can go on with a connection and change nothing of it but its time: anything
    /// but TCP's SYN, FIN and RST.
    #[inline(always)]
    pub fn goes_on(&self) -> bool {
        use crate::headers::tcp::{FIN, RST, SYN};
        !self.is_tcp() || self.flags & (SYN | RST | FIN) == 0
    }
}

/// IPv4 addresses, before anything else is known of the packet.
#[inline(always)]
pub fn addresses4<P: Packet>(packet: P) -> Option<(Addr, Addr)> {
    let ip = at::<Ipv4, P>(packet, L3)?;
    // SAFETY: `at` checked that the header lies within the frame.
    let (source, destination) = unsafe { ((*ip).source, (*ip).destination) };
    Some((
        Addr::v4(u32::from_ne_bytes(source)),
        Addr::v4(u32::from_ne_bytes(destination)),
    ))
}

/// IPv6 addresses, before anything else is known of the packet.
#[inline(always)]
pub fn addresses6<P: Packet>(packet: P) -> Option<(Addr, Addr)> {
    let ip = at::<Ipv6, P>(packet, L3)?;
    // SAFETY: `at` checked that the header lies within the frame.
    Some(unsafe {
        (
            words(&raw const (*ip).source),
            words(&raw const (*ip).destination),
        )
    })
}

/// # Safety
/// `bytes` must be readable.
#[inline(always)]
pub unsafe fn words(bytes: *const [u8; 16]) -> Addr {
    // SAFETY: the caller's; the Ethernet header leaves IP addresses 2-aligned only.
    let words = unsafe { bytes.cast::<[u32; 4]>().read_unaligned() };
    Addr { words }
}

/// Up to the transport header. The error is a counter.
#[inline(always)]
pub fn network4<P: Packet>(packet: P) -> Result<Parsed, u32> {
    let (source, destination) = addresses4(packet).ok_or(counter::TRUNCATED)?;
    let ip = at::<Ipv4, P>(packet, L3).ok_or(counter::TRUNCATED)?;
    // SAFETY: `at` checked that the header lies within the frame.
    let ip = unsafe { &*ip };
    let header = u32::from(ip.version_ihl & 0x0f) << 2;
    if ip.version_ihl >> 4 != 4 || header < size_of::<Ipv4>() as u32 {
        return Err(counter::MALFORMED);
    }
    let length = u32::from(u16::from_be(ip.length));
    let available = ip_bytes(packet);
    let length = if packet.segmented() {
        available
    } else {
        length
    };
    if length > available {
        return Err(counter::TRUNCATED);
    }
    if length < header {
        return Err(counter::MALFORMED);
    }
    let part = if ip.fragment & FRAGMENT_OFFSET != 0 {
        Part::Later
    } else if ip.fragment & MORE_FRAGMENTS != 0 {
        Part::First
    } else {
        Part::Whole
    };
    Ok(Parsed {
        source,
        destination,
        source_port: 0,
        destination_port: 0,
        protocol: ip.protocol,
        flags: 0,
        part,
        l4: L3 as u32 + header,
        length,
        id: u32::from(ip.id),
    })
}

/// Extension headers that we step over (RFC 8200 §4).
pub mod extension {
    pub const HOP_BY_HOP: u8 = 0;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const AUTHENTICATION: u8 = 51;
    pub const DESTINATION: u8 = 60;
}

/// How many extension headers we step over.
const EXTENSIONS: u32 = 6;

/// Up to the transport header. The error is a counter.
#[inline(always)]
pub fn network6<P: Packet>(packet: P) -> Result<Parsed, u32> {
    let (source, destination) = addresses6(packet).ok_or(counter::TRUNCATED)?;
    let ip = at::<Ipv6, P>(packet, L3).ok_or(counter::TRUNCATED)?;
    // SAFETY: `at` checked that the header lies within the frame.
    let ip = unsafe { &*ip };
    if ip.version_class_label[0] >> 4 != 6 {
        return Err(counter::MALFORMED);
    }
    let length = u32::from(u16::from_be(ip.length)) + size_of::<Ipv6>() as u32;
    let available = ip_bytes(packet);
    let length = if packet.segmented() {
        available
    } else {
        length
    };
    if length > available {
        return Err(counter::TRUNCATED);
    }
    let walked = packet.extensions(ip.next);
    let error = (walked >> 48) as u16;
    if error != 0 {
        return Err(u32::from(error) - 1);
    }
    Ok(Parsed {
        source,
        destination,
        source_port: 0,
        destination_port: 0,
        protocol: walked as u8,
        flags: 0,
        part: match (walked >> 8) as u8 {
            0 => Part::Whole,
            1 => Part::First,
            _ => Part::Later,
        },
        l4: (walked >> 16) as u16 as u32,
        length,
        id: fragment_id(packet, (walked >> 32) as u16),
    })
}

/// Steps over extension headers. Packed, from the low end: protocol (8 bits), part
/// (8 bits: 0 whole, 1 first, 2 later), offset of the transport header (16 bits), offset
/// of the fragment header or 0 (16 bits), a counter plus 1 if it can't (16 bits).
///
/// One number, so that the entries can make it a global function: the verifier walks the
/// loop once and need not follow every length a header may have.
#[inline(always)]
pub fn walk<P: Packet>(packet: P, mut protocol: u8) -> u64 {
    const fn failed(counter: u32) -> u64 {
        (counter as u64 + 1) << 48
    }
    let mut l4 = (L3 + size_of::<Ipv6>()) as u32;
    let (mut part, mut fragment) = (0_u64, 0_u32);
    for _ in 0..EXTENSIONS {
        let unit = match protocol {
            extension::HOP_BY_HOP | extension::ROUTING | extension::DESTINATION => 8,
            extension::AUTHENTICATION => 4,
            extension::FRAGMENT => 0,
            _ => break,
        };
        let Some(place) = far::<[u8; 8], P>(packet, l4) else {
            return failed(counter::TRUNCATED);
        };
        // SAFETY: `far` checked that these bytes lie within the frame.
        let header = unsafe { *place };
        protocol = header[0];
        if unit == 0 {
            fragment = l4;
            l4 += 8;
            if header[2] != 0 || header[3] & 0xf8 != 0 {
                part = 2;
                break;
            }
            part |= u64::from(header[3] & 1);
        } else {
            // Length excludes the first 8 bytes; of AH, the first 2 words (RFC 4302 §2.2).
            l4 += u32::from(header[1]) * unit + 8;
        }
        if l4 as usize + size_of::<Tcp>() > FARTHEST {
            return failed(counter::HEADERS);
        }
    }
    let more = matches!(
        protocol,
        extension::HOP_BY_HOP
            | extension::ROUTING
            | extension::DESTINATION
            | extension::AUTHENTICATION
            | extension::FRAGMENT
    );
    if more && part != 2 {
        return failed(counter::HEADERS);
    }
    u64::from(protocol) | part << 8 | u64::from(l4) << 16 | u64::from(fragment) << 32
}

#[inline(always)]
fn fragment_id<P: Packet>(packet: P, header: u16) -> u32 {
    if header == 0 {
        return 0;
    }
    let id = u32::from(header) + 4;
    // SAFETY: `far` checked that it lies within the frame.
    far::<u32, P>(packet, id).map_or(0, |id| unsafe { id.read_unaligned() })
}

/// Ports, and TCP's flags, of a packet that has them. The error is a counter.
#[inline(always)]
pub fn transport<P: Packet>(packet: P, parsed: &mut Parsed) -> Result<(), u32> {
    let end = L3 as u32 + parsed.length;
    if parsed.protocol == protocol::TCP {
        if parsed.l4 + size_of::<Tcp>() as u32 > end {
            return Err(counter::TRUNCATED);
        }
        let tcp = far::<Tcp, P>(packet, parsed.l4).ok_or(counter::TRUNCATED)?;
        // SAFETY: `far` checked that the header lies within the frame.
        let tcp = unsafe { &*tcp };
        let header = u32::from(tcp.offset >> 4) * 4;
        if header < size_of::<Tcp>() as u32 || parsed.l4 + header > end {
            return Err(counter::MALFORMED);
        }
        parsed.flags = tcp.flags;
        ports(parsed, &tcp.ports);
    } else {
        if parsed.l4 + size_of::<Udp>() as u32 > end {
            return Err(counter::TRUNCATED);
        }
        let udp = far::<Udp, P>(packet, parsed.l4).ok_or(counter::TRUNCATED)?;
        // SAFETY: `far` checked that the header lies within the frame.
        let udp = unsafe { &*udp };
        if u16::from_be_bytes(udp.length) < size_of::<Udp>() as u16 {
            return Err(counter::MALFORMED);
        }
        ports(parsed, &udp.ports);
    }
    Ok(())
}

/// Whether a TCP segment, whose header was looked at, carries data.
#[inline(always)]
pub fn carries_data<P: Packet>(packet: P, parsed: &Parsed) -> bool {
    far::<Tcp, P>(packet, parsed.l4).is_some_and(|tcp| {
        // SAFETY: `far` checked that the header lies within the frame.
        let header = u32::from(unsafe { (*tcp).offset } >> 4) * 4;
        parsed.l4 + header < L3 as u32 + parsed.length
    })
}

#[inline(always)]
fn ports(parsed: &mut Parsed, ports: &Ports) {
    parsed.source_port = u16::from_ne_bytes(ports.source);
    parsed.destination_port = u16::from_ne_bytes(ports.destination);
}
