//! NAT: address and port of the server in, of the service out.

use ssi_abi::conn::flag as conn_flag;
use ssi_abi::server::{Server, server_index};
use ssi_abi::{Addr, counter, filter};

use crate::balance::ethertype;
use crate::checksum::{addresses, difference, fold32};
use crate::conntrack;
use crate::count;
use crate::family::{Family, V4, V6};
use crate::fence;
use crate::forward;
use crate::fragment;
use crate::headers::{ETHERTYPE_V4, ETHERTYPE_V6, Ipv4, Ipv6, L3, Tcp, Udp, protocol};
use crate::icmp;
use crate::maps::{ADDRS, SERVICES};
use crate::packet::{Covered, Packet};
use crate::parse::{self, Parsed, Part};
use crate::route;

/// The port at the server, network order.
#[inline(always)]
pub fn port(server: &Server, parsed: &Parsed) -> u16 {
    if server.port == 0 {
        parsed.destination_port
    } else {
        server.port
    }
}

/// An address and port to be replaced in a packet.
pub struct Translation {
    /// The source is replaced, else the destination.
    pub source: bool,
    pub old: Addr,
    pub new: Addr,
    /// Network order.
    pub old_port: u16,
    /// Network order.
    pub new_port: u16,
}

/// Replaces address and port, with all checksums; false: it could not.
#[inline(always)]
pub fn translate<P: Packet, F: Family>(packet: P, parsed: &Parsed, change: &Translation) -> bool {
    let sum = fold32(addresses(&change.old, &change.new));
    if parsed.part != Part::Later && !transport(packet, parsed, change, sum) {
        return false;
    }
    address::<P, F>(packet, L3 as u32, change.source, &change.new)
        && (!F::V4 || packet.sum(L3 as u32 + CHECKSUM, sum, Covered::Header))
}

/// Offset of the checksum in an IPv4 header.
pub const CHECKSUM: u32 = core::mem::offset_of!(Ipv4, checksum) as u32;

/// Writes an address into the IP header at an offset.
#[inline(always)]
pub fn address<P: Packet, F: Family>(packet: P, header: u32, source: bool, new: &Addr) -> bool {
    if F::V4 {
        let place = if source {
            core::mem::offset_of!(Ipv4, source)
        } else {
            core::mem::offset_of!(Ipv4, destination)
        };
        return packet.write(header + place as u32, &new.as_v4());
    }
    let place = if source {
        core::mem::offset_of!(Ipv6, source)
    } else {
        core::mem::offset_of!(Ipv6, destination)
    };
    packet.write(header + place as u32, &new.words)
}

#[inline(always)]
fn transport<P: Packet>(packet: P, parsed: &Parsed, change: &Translation, sum: u32) -> bool {
    let (checksum, data, pseudo) = match parsed.protocol {
        protocol::TCP => (
            core::mem::offset_of!(Tcp, checksum),
            Covered::Data,
            Covered::Pseudo,
        ),
        protocol::UDP => (
            core::mem::offset_of!(Udp, checksum),
            Covered::UdpData,
            Covered::UdpPseudo,
        ),
        _ => return true,
    };
    let checksum = parsed.l4 + checksum as u32;
    let place = parsed.l4 + if change.source { 0 } else { 2 };
    packet.sum(checksum, sum, pseudo)
        && (change.old_port == change.new_port
            || packet.sum(checksum, ports(change), data) && packet.write(place, &change.new_port))
}

/// What replacing the port adds to a sum.
#[inline(always)]
pub fn ports(change: &Translation) -> u32 {
    fold32(difference(change.old_port.into(), change.new_port.into()))
}

/// To a server.
#[inline(always)]
pub fn towards<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    server: &Server,
    local: bool,
) -> i32 {
    if !local {
        if let Err(action) = forward::fits::<P, F>(packet, parsed, server, 0) {
            return action;
        }
        if !F::hop(packet) {
            return count::drop::<P>(counter::TTL);
        }
    }
    let change = Translation {
        source: false,
        old: parsed.destination,
        new: server.addr,
        old_port: parsed.destination_port,
        new_port: port(server, parsed),
    };
    if !translate::<P, F>(packet, parsed, &change) {
        return count::drop::<P>(counter::NO_ROOM);
    }
    if local {
        P::PASS
    } else {
        route::send(packet, server, F::V4)
    }
}

/// From what may be a real server, on its way through us to a client.
#[inline(always)]
pub fn returning<P: Packet>(packet: P) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        returning4(packet)
    } else {
        returning6(packet)
    }
}

#[inline(never)]
fn returning4<P: Packet>(packet: P) -> i32 {
    return_by::<P, V4>(packet)
}

#[inline(never)]
fn returning6<P: Packet>(packet: P) -> i32 {
    return_by::<P, V6>(packet)
}

#[inline(always)]
fn return_by<P: Packet, F: Family>(packet: P) -> i32 {
    let Some(client) = back::<P, F>(packet) else {
        return P::PASS;
    };
    if !F::hop(packet) {
        return count::drop::<P>(counter::TTL);
    }
    route::towards(packet, &client, F::V4)
}

/// From this node itself.
#[inline(always)]
pub fn leaving<P: Packet>(packet: P) -> i32 {
    match ethertype(packet) {
        ETHERTYPE_V4 => leaving4(packet),
        ETHERTYPE_V6 => leaving6(packet),
        _ => P::PASS,
    }
}

#[inline(never)]
fn leaving4<P: Packet>(packet: P) -> i32 {
    leaving_by::<P, V4>(packet)
}

#[inline(never)]
fn leaving6<P: Packet>(packet: P) -> i32 {
    leaving_by::<P, V6>(packet)
}

#[inline(always)]
fn leaving_by<P: Packet, F: Family>(packet: P) -> i32 {
    let bits = F::addresses(packet)
        .and_then(|(source, _)| ADDRS.get(filter::word(&source)))
        .map_or(0, |bits| *bits);
    if bits & filter::NODE != 0 && fence::concerns::<P, F>(packet) {
        let action = fence::leaving::<P, F>(packet);
        if action != P::PASS {
            return action;
        }
    }
    if bits & filter::REAL != 0 {
        back::<P, F>(packet);
    }
    P::PASS
}

/// Gives a server's packet the virtual address, if it is of a connection we made; the
/// client's address then.
#[inline(always)]
fn back<P: Packet, F: Family>(packet: P) -> Option<Addr> {
    let mut parsed = F::network(packet).ok()?;
    let now = conntrack::now();
    if parsed.part == Part::Later {
        return later::<P, F>(packet, &parsed, now);
    }
    match parsed.protocol {
        protocol::TCP | protocol::UDP => {}
        protocol::ICMP if F::V4 => return icmp::outbound::<P, F>(packet, &parsed),
        protocol::ICMPV6 if !F::V4 => return icmp::outbound::<P, F>(packet, &parsed),
        _ => return None,
    }
    parse::transport(packet, &mut parsed).ok()?;
    let key = F::key(&parsed);
    let head = F::find(&key)?;
    // SAFETY: a live map value.
    let (flags, virtual_port) = unsafe { ((*head).flags, (*head).virtual_port) };
    if flags & conn_flag::REVERSE == 0 {
        return None;
    }
    // SAFETY: `head` comes from `find`.
    let virtual_addr = unsafe { F::virtual_addr(head) };
    let reference = conntrack::touch(head, &parsed, now);
    let server = conntrack::server_of(reference)?;
    if parsed.part == Part::First {
        fragment::follow(&parsed, reference, now);
    }
    let change = Translation {
        source: true,
        old: parsed.source,
        new: virtual_addr,
        old_port: parsed.source_port,
        new_port: virtual_port,
    };
    if !translate::<P, F>(packet, &parsed, &change) {
        return None;
    }
    count::outgoing(server.service, server_index(reference), parsed.length);
    Some(parsed.destination)
}

/// A later fragment of a server's datagram: its service's address, since it has no ports.
#[inline(always)]
fn later<P: Packet, F: Family>(packet: P, parsed: &Parsed, now: u32) -> Option<Addr> {
    let server = conntrack::server_of(fragment::followed(parsed, now)?)?;
    let service = SERVICES.get(server.service)?;
    if service.key.addr == Addr::NONE {
        return None;
    }
    let change = Translation {
        source: true,
        old: parsed.source,
        new: service.key.addr,
        old_port: 0,
        new_port: 0,
    };
    translate::<P, F>(packet, parsed, &change).then_some(parsed.destination)
}
