//! IPv4 and IPv6, for the code that is the same for both.

use ssi_abi::Addr;
use ssi_abi::conn::{Conn4, Conn6, ConnKey4, ConnKey6};
use ssi_abi::flow::Name;

use crate::checksum::update;
use crate::headers::{Ipv4, Ipv6, L3};
use crate::maps::{CONNS4, CONNS6};
use crate::packet::{Packet, at};
use crate::parse::{self, Parsed};

/// What the two kinds of connection entry have in common: their first 12 bytes.
#[repr(C)]
pub struct Head {
    pub server: u32,
    pub seen: u32,
    pub state: u8,
    pub flags: u8,
    pub virtual_port: u16,
}

/// One of the two.
pub trait Family {
    const V4: bool;
    type Key;

    /// Bytes of the fixed header.
    const HEADER: u32;

    /// The addresses, before anything else is known.
    fn addresses<P: Packet>(packet: P) -> Option<(Addr, Addr)>;
    /// The protocol that the fixed header names.
    fn next<P: Packet>(packet: P) -> Option<u8>;
    /// Up to the transport header. The error is a counter.
    fn network<P: Packet>(packet: P) -> Result<Parsed, u32>;
    /// One hop less; false: it had none left.
    fn hop<P: Packet>(packet: P) -> bool;
    /// Type of service or traffic class.
    fn class<P: Packet>(packet: P) -> u8;
    /// The key of a connection.
    fn key(packet: &Parsed) -> Self::Key;
    /// The name that the flow cache has for a connection; none: it has none.
    fn name(seed: u64, key: &Self::Key) -> Option<Name>;
    /// The entry of a connection.
    fn find(key: &Self::Key) -> Option<*mut Head>;
    /// Remembers a connection; false: the table refused. `virtual_addr` is for reverse
    /// entries, [`Addr::NONE`] otherwise.
    fn remember(key: &Self::Key, head: Head, virtual_addr: &Addr) -> bool;
    /// Forgets a connection.
    fn forget(key: &Self::Key);
    /// The virtual address in a reverse entry.
    ///
    /// # Safety
    /// `head` must come from [`Self::find`].
    unsafe fn virtual_addr(head: *mut Head) -> Addr;
}

pub enum V4 {}
pub enum V6 {}

impl Family for V4 {
    const V4: bool = true;
    type Key = ConnKey4;
    const HEADER: u32 = size_of::<Ipv4>() as u32;

    #[inline(always)]
    fn addresses<P: Packet>(packet: P) -> Option<(Addr, Addr)> {
        parse::addresses4(packet)
    }

    #[inline(always)]
    fn next<P: Packet>(packet: P) -> Option<u8> {
        // SAFETY: `at` checked that the header lies within the frame.
        at::<Ipv4, P>(packet, L3).map(|ip| unsafe { (*ip).protocol })
    }

    #[inline(always)]
    fn network<P: Packet>(packet: P) -> Result<Parsed, u32> {
        parse::network4(packet)
    }

    #[inline(always)]
    fn hop<P: Packet>(packet: P) -> bool {
        let Some(ip) = at::<Ipv4, P>(packet, L3) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let ip = unsafe { &mut *ip };
        if ip.ttl <= 1 {
            return false;
        }
        // RFC 1141: TTL is the high byte of its word, so its sum goes down by 0x0100 and
        // the checksum up.
        ip.checksum = update(ip.checksum, u64::from(!0x0100_u16.to_be()));
        ip.ttl -= 1;
        true
    }

    #[inline(always)]
    fn class<P: Packet>(packet: P) -> u8 {
        // SAFETY: `at` checked that the header lies within the frame.
        at::<Ipv4, P>(packet, L3).map_or(0, |ip| unsafe { (*ip).tos })
    }

    #[inline(always)]
    fn key(packet: &Parsed) -> ConnKey4 {
        ConnKey4 {
            source: packet.source.as_v4(),
            destination: packet.destination.as_v4(),
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            protocol: packet.protocol,
            pad: [0; 3],
        }
    }

    #[inline(always)]
    fn name(seed: u64, key: &ConnKey4) -> Option<Name> {
        Some(Name::of(seed, key))
    }

    #[inline(always)]
    fn find(key: &ConnKey4) -> Option<*mut Head> {
        CONNS4.get_ptr_mut(key).map(|conn: *mut Conn4| conn.cast())
    }

    #[inline(always)]
    fn remember(key: &ConnKey4, head: Head, virtual_addr: &Addr) -> bool {
        let conn = Conn4 {
            server: head.server,
            seen: head.seen,
            state: head.state,
            flags: head.flags,
            virtual_port: head.virtual_port,
            virtual_addr: virtual_addr.as_v4(),
        };
        CONNS4.insert(key, conn, 0).is_ok()
    }

    #[inline(always)]
    fn forget(key: &ConnKey4) {
        // Nothing is lost if it is gone already.
        let _ = CONNS4.remove(key);
    }

    #[inline(always)]
    unsafe fn virtual_addr(head: *mut Head) -> Addr {
        // SAFETY: the caller's `head` is the start of a Conn4.
        Addr::v4(unsafe { (*head.cast::<Conn4>()).virtual_addr })
    }
}

impl Family for V6 {
    const V4: bool = false;
    type Key = ConnKey6;
    const HEADER: u32 = size_of::<Ipv6>() as u32;

    #[inline(always)]
    fn addresses<P: Packet>(packet: P) -> Option<(Addr, Addr)> {
        parse::addresses6(packet)
    }

    #[inline(always)]
    fn next<P: Packet>(packet: P) -> Option<u8> {
        // SAFETY: `at` checked that the header lies within the frame.
        at::<Ipv6, P>(packet, L3).map(|ip| unsafe { (*ip).next })
    }

    #[inline(always)]
    fn network<P: Packet>(packet: P) -> Result<Parsed, u32> {
        parse::network6(packet)
    }

    #[inline(always)]
    fn hop<P: Packet>(packet: P) -> bool {
        let Some(ip) = at::<Ipv6, P>(packet, L3) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let ip = unsafe { &mut *ip };
        if ip.hop_limit <= 1 {
            return false;
        }
        ip.hop_limit -= 1;
        true
    }

    #[inline(always)]
    fn class<P: Packet>(packet: P) -> u8 {
        let Some(ip) = at::<Ipv6, P>(packet, L3) else {
            return 0;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let [first, second, ..] = unsafe { (*ip).version_class_label };
        first << 4 | second >> 4
    }

    #[inline(always)]
    fn key(packet: &Parsed) -> ConnKey6 {
        ConnKey6 {
            source: packet.source.words,
            destination: packet.destination.words,
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            protocol: packet.protocol,
            pad: [0; 3],
        }
    }

    #[inline(always)]
    fn name(_: u64, _: &ConnKey6) -> Option<Name> {
        None
    }

    #[inline(always)]
    fn find(key: &ConnKey6) -> Option<*mut Head> {
        CONNS6.get_ptr_mut(key).map(|conn: *mut Conn6| conn.cast())
    }

    #[inline(always)]
    fn remember(key: &ConnKey6, head: Head, virtual_addr: &Addr) -> bool {
        let conn = Conn6 {
            server: head.server,
            seen: head.seen,
            state: head.state,
            flags: head.flags,
            virtual_port: head.virtual_port,
            pad: 0,
            virtual_addr: virtual_addr.words,
        };
        CONNS6.insert(key, conn, 0).is_ok()
    }

    #[inline(always)]
    fn forget(key: &ConnKey6) {
        // Nothing is lost if it is gone already.
        let _ = CONNS6.remove(key);
    }

    #[inline(always)]
    unsafe fn virtual_addr(head: *mut Head) -> Addr {
        // SAFETY: the caller's `head` is the start of a Conn6.
        let words = unsafe { (*head.cast::<Conn6>()).virtual_addr };
        Addr { words }
    }
}
