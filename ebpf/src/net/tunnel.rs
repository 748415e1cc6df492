//! Tunnels: an outer header to the real server (RFC 2003, RFC 2473, RFC 4213), and off
//! with it there.

use ssi_abi::server::Server;
use ssi_abi::{Addr, counter, filter};

use crate::balance::step;
use crate::checksum::fold;
use crate::count;
use crate::family::Family;
use crate::forward;
use crate::headers::{DONT_FRAGMENT, FRAGMENT_OFFSET, Ipv4, Ipv6, L3, MORE_FRAGMENTS, protocol};
use crate::maps::{ADDRS, PEERS, SETTINGS};
use crate::packet::{Packet, at};
use crate::parse::{Parsed, words};
use crate::route;

const V4_BYTES: u32 = size_of::<Ipv4>() as u32;
const V6_BYTES: u32 = size_of::<Ipv6>() as u32;

/// Sends the packet to a server inside an outer header.
#[inline(always)]
pub fn wrap<P: Packet, F: Family>(packet: P, parsed: &Parsed, server: &Server) -> i32 {
    let outer_v4 = server.addr.is_v4();
    let outer = if outer_v4 { V4_BYTES } else { V6_BYTES };
    if let Err(action) = forward::fits::<P, F>(packet, parsed, server, outer) {
        return action;
    }
    if server.source == Addr::NONE {
        return count::drop::<P>(counter::NO_ROUTE);
    }
    if !F::hop(packet) {
        return count::drop::<P>(counter::TTL);
    }
    let class = F::class(packet);
    if !packet.open(outer, outer_v4) {
        return count::drop::<P>(counter::NO_ROOM);
    }
    let ttl = SETTINGS.get(0).map_or(64, |settings| settings.ttl as u8);
    let inner = if F::V4 {
        protocol::IPIP
    } else {
        protocol::IPV6
    };
    let written = if outer_v4 {
        write_v4(packet, server, parsed.length, class, ttl, inner)
    } else {
        write_v6(packet, server, parsed.length, class, ttl, inner)
    };
    if !written {
        return count::drop::<P>(counter::NO_ROOM);
    }
    route::send(packet, server, outer_v4)
}

#[inline(always)]
fn write_v4<P: Packet>(
    packet: P,
    server: &Server,
    length: u32,
    class: u8,
    ttl: u8,
    inner: u8,
) -> bool {
    let Some(ip) = at::<Ipv4, P>(packet, L3) else {
        return false;
    };
    let (source, destination) = (server.source.as_v4(), server.addr.as_v4());
    let total = ((length + V4_BYTES) as u16).to_be();
    let first = u32::from_ne_bytes([0x45, class, total.to_ne_bytes()[0], total.to_ne_bytes()[1]]);
    // RFC 6864 §4.1: with DF set the identification means nothing, so 0 will do.
    let second = u32::from(DONT_FRAGMENT) << 16;
    let third = u32::from_ne_bytes([ttl, inner, 0, 0]);
    let sum = u64::from(first)
        + u64::from(second)
        + u64::from(third)
        + u64::from(source)
        + u64::from(destination);
    let header = Ipv4 {
        version_ihl: 0x45,
        tos: class,
        length: total,
        id: 0,
        fragment: DONT_FRAGMENT,
        ttl,
        protocol: inner,
        checksum: !fold(sum),
        source: source.to_ne_bytes(),
        destination: destination.to_ne_bytes(),
    };
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe { *ip = header };
    true
}

#[inline(always)]
fn write_v6<P: Packet>(
    packet: P,
    server: &Server,
    length: u32,
    class: u8,
    ttl: u8,
    inner: u8,
) -> bool {
    let Some(ip) = at::<Ipv6, P>(packet, L3) else {
        return false;
    };
    // SAFETY: `at` checked that the header lies within the frame; the addresses are
    // 2-aligned only.
    unsafe {
        (*ip).version_class_label = [0x60 | class >> 4, class << 4, 0, 0];
        (*ip).length = (length as u16).to_be();
        (*ip).next = inner;
        (*ip).hop_limit = ttl;
        (&raw mut (*ip).source)
            .cast::<[u32; 4]>()
            .write_unaligned(server.source.words);
        (&raw mut (*ip).destination)
            .cast::<[u32; 4]>()
            .write_unaligned(server.addr.words);
    }
    true
}

/// A tunnelled packet to this node. If it is for a virtual address and comes from a peer,
/// we open it: the kernel may have no tunnel device, and needs none.
#[inline(always)]
pub fn arrived<P: Packet, F: Family>(packet: P, source: &Addr) -> i32 {
    let Some(inner) = F::next(packet) else {
        return P::PASS;
    };
    let inner_v4 = inner == protocol::IPIP;
    if F::V4 {
        let Some(ip) = at::<Ipv4, P>(packet, L3) else {
            return P::PASS;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let (version_ihl, fragment) = unsafe { ((*ip).version_ihl, (*ip).fragment) };
        if version_ihl != 0x45 || fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0 {
            return P::PASS;
        }
    }
    let Some(destination) = inner_destination(packet, L3 + F::HEADER as usize, inner_v4) else {
        return P::PASS;
    };
    let bits = ADDRS
        .get(filter::word(&destination))
        .map_or(0, |bits| *bits);
    if bits & filter::VIRTUAL == 0 {
        return P::PASS;
    }
    // SAFETY: only whether it is there matters.
    if unsafe { PEERS.get(source) }.is_none() {
        count::event(counter::STRANGER);
        return P::PASS;
    }
    if !packet.close(F::HEADER, inner_v4) {
        return count::drop::<P>(counter::NO_ROOM);
    }
    count::event(counter::DECAPSULATED);
    step::AGAIN
}

#[inline(always)]
fn inner_destination<P: Packet>(packet: P, offset: usize, v4: bool) -> Option<Addr> {
    if v4 {
        let ip = at::<Ipv4, P>(packet, offset)?;
        // SAFETY: `at` checked that the header lies within the frame.
        let (version_ihl, destination) = unsafe { ((*ip).version_ihl, (*ip).destination) };
        return (version_ihl >> 4 == 4).then(|| Addr::v4(u32::from_ne_bytes(destination)));
    }
    let ip = at::<Ipv6, P>(packet, offset)?;
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe { ((*ip).version_class_label[0] >> 4 == 6).then(|| words(&raw const (*ip).destination)) }
}
