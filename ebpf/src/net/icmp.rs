//! ICMP errors belong to the flow whose packet they quote.

use ssi_abi::conn::flag as conn_flag;
use ssi_abi::server::{Server, flag, method, server_index};
use ssi_abi::service::{self as abi_service, scheduler};
use ssi_abi::{Addr, counter, table};

use crate::balance::{ethertype, step};
use crate::checksum::{addresses, fold32};
use crate::conntrack;
use crate::count;
use crate::family::{Family, V4, V6};
use crate::forward;
use crate::headers::{ETHERTYPE_V4, FRAGMENT_OFFSET, Icmp, Ipv4, Ipv6, Ports, protocol};
use crate::maps::{SERVERS, SETTINGS};
use crate::nat::{self, Translation};
use crate::packet::{Covered, FARTHEST, Packet, far};
use crate::parse::{Parsed, Part, words};
use crate::route;
use crate::schedule;
use crate::service;

/// What an error quotes.
struct Quote {
    /// The flow, seen from the other end: a packet as the receiver of the error would
    /// send it.
    flow: Parsed,
    /// Offset of the quoted IP header.
    header: u32,
}

/// Errors, which quote the packet that caused them (RFC 792, RFC 4443 §2.1).
#[inline(always)]
fn is_error(v4: bool, kind: u8) -> bool {
    if v4 {
        matches!(kind, 3 | 4 | 11 | 12)
    } else {
        matches!(kind, 1..=4)
    }
}

#[inline(always)]
fn quoted<P: Packet, F: Family>(packet: P, parsed: &Parsed) -> Option<Quote> {
    let icmp = far::<Icmp, P>(packet, parsed.l4)?;
    // SAFETY: `far` checked that the header lies within the frame.
    if !is_error(F::V4, unsafe { (*icmp).kind }) {
        return None;
    }
    let header = parsed.l4 + size_of::<Icmp>() as u32;
    let (source, destination, protocol, l4) = if F::V4 {
        let ip = far::<Ipv4, P>(packet, header)?;
        // SAFETY: `far` checked that the header lies within the frame.
        let ip = unsafe { &*ip };
        // Only a first fragment has ports.
        if ip.version_ihl >> 4 != 4
            || ip.version_ihl & 0x0f < 5
            || ip.fragment & FRAGMENT_OFFSET != 0
        {
            return None;
        }
        (
            Addr::v4(u32::from_ne_bytes(ip.source)),
            Addr::v4(u32::from_ne_bytes(ip.destination)),
            ip.protocol,
            header + (u32::from(ip.version_ihl & 0x0f) << 2),
        )
    } else {
        let ip = far::<Ipv6, P>(packet, header)?;
        // SAFETY: `far` checked that the header lies within the frame.
        unsafe {
            (
                words(&raw const (*ip).source),
                words(&raw const (*ip).destination),
                (*ip).next,
                header + F::HEADER,
            )
        }
    };
    let ported = protocol == protocol::TCP || protocol == protocol::UDP;
    if !ported || l4 as usize + size_of::<Ports>() > FARTHEST {
        return None;
    }
    let ports = far::<Ports, P>(packet, l4)?;
    // SAFETY: `far` checked that the ports lie within the frame.
    let ports = unsafe { *ports };
    Some(Quote {
        flow: Parsed {
            source: destination,
            destination: source,
            source_port: u16::from_ne_bytes(ports.destination),
            destination_port: u16::from_ne_bytes(ports.source),
            protocol,
            // Not a SYN: the flow exists.
            flags: crate::headers::tcp::ACK,
            part: Part::Whole,
            l4,
            length: parsed.length,
            id: 0,
        },
        header,
    })
}

/// An ICMP packet to a virtual address: errors go to the server that owns the flow,
/// everything else (echo) to the local stack.
#[inline(always)]
pub fn related<P: Packet>(packet: P) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        related4(packet)
    } else {
        related6(packet)
    }
}

#[inline(never)]
fn related4<P: Packet>(packet: P) -> i32 {
    inbound::<P, V4>(packet)
}

#[inline(never)]
fn related6<P: Packet>(packet: P) -> i32 {
    inbound::<P, V6>(packet)
}

#[inline(always)]
fn inbound<P: Packet, F: Family>(packet: P) -> i32 {
    let parsed = &match F::network(packet) {
        Ok(parsed) => parsed,
        Err(reason) => return count::drop::<P>(reason),
    };
    let Some(quote) = quoted::<P, F>(packet, parsed) else {
        return P::PASS;
    };
    let Some((index, server)) = owner::<F>(&quote.flow) else {
        return P::PASS;
    };
    count::event(counter::ICMP_RELATED);
    count::incoming(server.service, index, parsed.length);
    let action = if server.method != method::NAT {
        forward::unchanged::<P, F>(packet, parsed, server)
    } else if let Err(action) = forward::fits::<P, F>(packet, parsed, server, 0) {
        action
    } else {
        step::REWRITE + index as i32
    };
    if (step::TOO_BIG..step::REWRITE).contains(&action) {
        // No error is answered by an error (RFC 1122 §3.2.2, RFC 4443 §2.4).
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    }
    action
}

/// The same for a server reached by NAT, which is to see its own address everywhere.
#[inline(always)]
pub fn translated<P: Packet>(packet: P, index: u32) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        translated4(packet, index)
    } else {
        translated6(packet, index)
    }
}

#[inline(never)]
fn translated4<P: Packet>(packet: P, index: u32) -> i32 {
    translate::<P, V4>(packet, index)
}

#[inline(never)]
fn translated6<P: Packet>(packet: P, index: u32) -> i32 {
    translate::<P, V6>(packet, index)
}

#[inline(always)]
fn translate<P: Packet, F: Family>(packet: P, index: u32) -> i32 {
    let Some(server) = SERVERS.get(index) else {
        return P::DROP;
    };
    let Ok(parsed) = F::network(packet) else {
        return count::drop::<P>(counter::TRUNCATED);
    };
    let Some(quote) = quoted::<P, F>(packet, &parsed) else {
        return count::drop::<P>(counter::TRUNCATED);
    };
    let change = Translation {
        source: false,
        old: parsed.destination,
        new: server.addr,
        old_port: quote.flow.destination_port,
        new_port: nat::port(server, &quote.flow),
    };
    let local = server.flags & flag::LOCAL != 0;
    if !local && !F::hop(packet) {
        return count::drop::<P>(counter::TTL);
    }
    if !rewrite::<P, F>(packet, &parsed, &quote, &change) {
        return count::drop::<P>(counter::NO_ROOM);
    }
    if local {
        return P::PASS;
    }
    route::send(packet, server, F::V4)
}

/// The server that has a flow.
#[inline(always)]
fn owner<F: Family>(flow: &Parsed) -> Option<(u32, &'static Server)> {
    let key = F::key(flow);
    if let Some(head) = F::find(&key) {
        // SAFETY: a live map value.
        let (reference, flags) = unsafe { ((*head).server, (*head).flags) };
        if flags & conn_flag::REVERSE == 0
            && let Some(server) = conntrack::server_of(reference)
        {
            return Some((server_index(reference), server));
        }
    }
    let (number, service) = service::find(flow)?;
    let settings = SETTINGS.get(0)?;
    if service.flags & abi_service::flag::DIRECTOR == 0 {
        return None;
    }
    let index = match service.scheduler {
        scheduler::SLOT => {
            let entry = schedule::slot(flow, service, settings);
            let (current, previous) = (table::current(entry), table::previous(entry));
            // Connections that opened since the slot moved are in the table; this one is
            // older.
            u32::from(if previous == 0 { current } else { previous })
        }
        scheduler::HASH => schedule::pick(flow, number, service, settings),
        _ => return None,
    };
    let server = SERVERS.get(index)?;
    (index != 0 && server.service != 0).then_some((index, server))
}

/// An ICMP error from a NAT server to a client: it speaks of the virtual address. The
/// client's address, if it was one of ours.
#[inline(always)]
pub fn outbound<P: Packet, F: Family>(packet: P, parsed: &Parsed) -> Option<Addr> {
    let quote = quoted::<P, F>(packet, parsed)?;
    let key = F::key(&quote.flow);
    let head = F::find(&key)?;
    // SAFETY: a live map value; `head` comes from `find`.
    let (flags, new_port, new) =
        unsafe { ((*head).flags, (*head).virtual_port, F::virtual_addr(head)) };
    if flags & conn_flag::REVERSE == 0 || quote.flow.source != parsed.source {
        return None;
    }
    let change = Translation {
        source: true,
        old: parsed.source,
        new,
        old_port: quote.flow.source_port,
        new_port,
    };
    count::event(counter::ICMP_RELATED);
    rewrite::<P, F>(packet, parsed, &quote, &change).then_some(parsed.destination)
}

/// Replaces the address in the outer header and, on the other side, address and port in
/// the quote.
#[inline(always)]
fn rewrite<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    quote: &Quote,
    change: &Translation,
) -> bool {
    let checksum = parsed.l4 + core::mem::offset_of!(Icmp, checksum) as u32;
    let sum = fold32(addresses(&change.old, &change.new));
    let place = quote.flow.l4 + if change.source { 2 } else { 0 };
    // The quoted ports are covered by ICMP's checksum alone (the quoted packet's own is
    // not kept: nobody can check it, as the quote is cut).
    let mut done = packet.sum(checksum, nat::ports(change), Covered::Data)
        && packet.write(place, &change.new_port)
        && nat::translate::<P, F>(packet, parsed, change)
        && nat::address::<P, F>(packet, quote.header, !change.source, &change.new);
    if F::V4 {
        // The quoted header's checksum changes against its address, so that ICMP's, which
        // covers both, stays.
        done = done && quoted_checksum(packet, quote.header + nat::CHECKSUM, sum);
    } else {
        // ICMPv6 covers the pseudo-header and the quote: the address counts twice.
        done = done
            && packet.sum(checksum, sum, Covered::Pseudo)
            && packet.sum(checksum, sum, Covered::Data);
    }
    done
}

#[inline(always)]
fn quoted_checksum<P: Packet>(packet: P, place: u32, sum: u32) -> bool {
    let Some(checksum) = far::<u16, P>(packet, place) else {
        return false;
    };
    // SAFETY: `far` checked that it lies within the frame.
    let old = unsafe { checksum.read_unaligned() };
    let new = crate::checksum::update(old, u64::from(sum));
    packet.write(place, &new)
}
