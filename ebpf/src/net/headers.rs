//! Headers as they lie in a frame. Multi-byte fields are in network order.

/// Ethernet II.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ethernet {
    pub destination: [u8; 6],
    pub source: [u8; 6],
    pub kind: u16,
}

/// Where the IP header starts.
pub const L3: usize = size_of::<Ethernet>();

pub const ETHERTYPE_V4: u16 = 0x0800_u16.to_be();
pub const ETHERTYPE_V6: u16 = 0x86dd_u16.to_be();
pub const ETHERTYPE_ARP: u16 = 0x0806_u16.to_be();

/// IPv4, without options (RFC 791).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv4 {
    pub version_ihl: u8,
    pub tos: u8,
    pub length: u16,
    pub id: u16,
    pub fragment: u16,
    pub ttl: u8,
    pub protocol: u8,
    pub checksum: u16,
    pub source: [u8; 4],
    pub destination: [u8; 4],
}

pub const DONT_FRAGMENT: u16 = 0x4000_u16.to_be();
pub const MORE_FRAGMENTS: u16 = 0x2000_u16.to_be();
pub const FRAGMENT_OFFSET: u16 = 0x1fff_u16.to_be();

/// IPv6 (RFC 8200).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv6 {
    pub version_class_label: [u8; 4],
    pub length: u16,
    pub next: u8,
    pub hop_limit: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

/// Source and destination port, the start of TCP and UDP.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ports {
    pub source: [u8; 2],
    pub destination: [u8; 2],
}

/// TCP up to its checksum (RFC 9293).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Tcp {
    pub ports: Ports,
    pub sequence: [u8; 8],
    pub offset: u8,
    pub flags: u8,
    pub window: [u8; 2],
    pub checksum: [u8; 2],
    pub urgent: [u8; 2],
}

/// UDP (RFC 768).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Udp {
    pub ports: Ports,
    pub length: [u8; 2],
    pub checksum: [u8; 2],
}

/// ICMP and ICMPv6 errors, before the packet they quote.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
    pub checksum: [u8; 2],
    pub rest: [u8; 4],
}

pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IPIP: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ICMPV6: u8 = 58;
}

pub mod tcp {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}
