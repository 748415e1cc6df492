//! Who may speak to this node on the cluster's port, and whether this node may speak at
//! all: only members of the view, only while the lease lasts.

use ssi_abi::counter;
use ssi_abi::member::{LANES, own_flag};
use ssi_abi::probe::{BYTES, PORT};

use crate::balance::{self, ethertype, step};
use crate::count;
use crate::family::{Family, V4, V6};
use crate::headers::{ETHERTYPE_V4, FRAGMENT_OFFSET, Ipv4, L3, Ports, Udp, protocol};
use crate::maps::OWN;
pub use crate::member::{clock, lease_is_over};
use crate::member::{number, said};
use crate::packet::{Packet, again, at};
use crate::parse::{self, Part, extension};

/// [`PORT`] as it lies in a packet.
const PORT_BYTES: [u8; 2] = PORT.to_be_bytes();

/// Priorities of the kernel's `uapi/linux/pkt_sched.h`.
mod priority {
    pub const BULK: u32 = 2;
    pub const INTERACTIVE: u32 = 6;
    pub const CONTROL: u32 = 7;
}

/// Lanes by what they carry: requests and replies below, bulk, the rest.
const BULK_LANE: u32 = 6;

#[inline(always)]
fn in_cluster() -> bool {
    // SAFETY: a live map value; the field is read in one step.
    OWN.get_ptr(0)
        .is_some_and(|own| unsafe { (*own).flags } & own_flag::MEMBER != 0)
}

/// Whether a packet to or from an address of this node may have to do with the cluster's
/// port: it names the port, or more than the usual headers stand before its ports.
#[inline(never)]
pub fn concerns<P: Packet, F: Family>(packet: P) -> bool {
    match F::next(packet) {
        Some(protocol::TCP | protocol::UDP) => {}
        Some(
            extension::HOP_BY_HOP
            | extension::ROUTING
            | extension::FRAGMENT
            | extension::AUTHENTICATION
            | extension::DESTINATION,
        ) => return !F::V4,
        _ => return false,
    }
    let packet = again(packet);
    if F::V4 {
        let Some(ip) = at::<Ipv4, P>(packet, L3) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let (version_ihl, fragment) = unsafe { ((*ip).version_ihl, (*ip).fragment) };
        if fragment & FRAGMENT_OFFSET != 0 {
            return false;
        }
        if version_ihl != 0x45 {
            return true;
        }
    }
    at::<Ports, P>(again(packet), L3 + F::HEADER as usize).is_some_and(|ports| {
        // SAFETY: `at` checked that the ports lie within the frame.
        let ports = unsafe { *ports };
        ports.source == PORT_BYTES || ports.destination == PORT_BYTES
    })
}

/// A packet to this node.
#[inline(always)]
pub fn arrived<P: Packet>(packet: P) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        arrived_by::<P, V4>(packet)
    } else {
        arrived_by::<P, V6>(packet)
    }
}

#[inline(never)]
fn arrived_by<P: Packet, F: Family>(packet: P) -> i32 {
    if !concerns::<P, F>(packet) {
        return match F::addresses(packet) {
            Some((source, _)) => balance::onward::<P, F>(again(packet), &source),
            None => P::PASS,
        };
    }
    let mut parsed = match F::network(packet) {
        Ok(parsed) => parsed,
        Err(reason) => return count::drop::<P>(reason),
    };
    let port = PORT.to_be();
    let has_ports = matches!(parsed.protocol, protocol::TCP | protocol::UDP);
    if parsed.part == Part::Later || !has_ports {
        return balance::onward::<P, F>(again(packet), &parsed.source);
    }
    if let Err(reason) = parse::transport(packet, &mut parsed) {
        return count::drop::<P>(reason);
    }
    let (from, to) = (parsed.source_port == port, parsed.destination_port == port);
    if !(to || from && parsed.is_tcp()) || !in_cluster() {
        return balance::onward::<P, F>(again(packet), &parsed.source);
    }
    if !parsed.is_tcp() {
        let l4 = L3 as u32 + F::HEADER;
        if parsed.part != Part::Whole {
            return count::drop::<P>(counter::PROBE_MALFORMED);
        }
        if parsed.l4 != l4 {
            // Nobody who probes us sends options; `ssid` checks whatever it gets again.
            return P::PASS;
        }
        if parsed.length != F::HEADER + (size_of::<Udp>() + BYTES) as u32 {
            return count::drop::<P>(counter::PROBE_MALFORMED);
        }
        return step::PROBE;
    }
    let Some(node) = number(&parsed.source) else {
        return count::drop::<P>(counter::FENCED);
    };
    if lease_is_over() {
        return count::drop::<P>(counter::LEASE_ENDED);
    }
    let lane = lane(parsed.source_port, parsed.destination_port);
    said(node, lane, |stats| {
        stats.in_packets += 1;
        stats.in_bytes += u64::from(parsed.length);
    });
    P::PASS
}

/// Ports in network order. Of two ends on the cluster's port, the destination counts.
#[inline(always)]
fn lane(source: u16, destination: u16) -> u32 {
    let other = if source == PORT.to_be() {
        destination
    } else {
        source
    };
    u32::from(u16::from_be(other)) & (LANES - 1)
}

/// A packet from this node that [`concerns`] us: the device's queue it goes to, and
/// whether it goes at all.
#[inline(never)]
pub fn leaving<P: Packet, F: Family>(packet: P) -> i32 {
    let Ok(mut parsed) = F::network(packet) else {
        return P::PASS;
    };
    if parsed.part == Part::Later
        || !matches!(parsed.protocol, protocol::TCP | protocol::UDP)
        || parse::transport(packet, &mut parsed).is_err()
    {
        return P::PASS;
    }
    let port = PORT.to_be();
    let (from, to) = (parsed.source_port == port, parsed.destination_port == port);
    if !(from || to) || !in_cluster() {
        return P::PASS;
    }
    if !parsed.is_tcp() {
        if to {
            packet.prioritise(priority::CONTROL);
        }
        return P::PASS;
    }
    if lease_is_over() {
        return count::drop::<P>(counter::LEASE_ENDED);
    }
    let lane = lane(parsed.source_port, parsed.destination_port);
    packet.prioritise(match lane {
        0..BULK_LANE => priority::INTERACTIVE,
        BULK_LANE => priority::BULK,
        _ => priority::CONTROL,
    });
    if let Some(node) = number(&parsed.destination) {
        said(node, lane, |stats| {
            stats.out_packets += 1;
            stats.out_bytes += u64::from(parsed.length);
        });
    }
    P::PASS
}
