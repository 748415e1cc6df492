//! Where is that address? (ARP, neighbour discovery.) Without a lease, this node does not
//! answer for an address of the cluster, though it may still have it: `ssid` may be stopped
//! or dead, and another node may direct the address by now.

use ssi_abi::{Addr, counter, filter};

use crate::balance::ethertype;
use crate::count;
use crate::family::{Family, V6};
use crate::headers::{ETHERTYPE_ARP, ETHERTYPE_V6, L3, protocol};
use crate::maps::ADDRS;
use crate::member::lease_is_over;
use crate::packet::{Packet, again, at};

/// ARP for IPv4 over Ethernet (RFC 826).
#[repr(C)]
#[derive(Clone, Copy)]
struct Arp {
    hardware: u16,
    protocol: u16,
    lengths: u16,
    operation: u16,
    sender: [u8; 6],
    sender_address: [u8; 4],
    target: [u8; 6],
    target_address: [u8; 4],
}

/// Neighbour solicitation (RFC 4861 §4.3).
#[repr(C)]
#[derive(Clone, Copy)]
struct Solicitation {
    kind: u8,
    code: u8,
    checksum: [u8; 2],
    reserved: [u8; 4],
    target: [[u8; 4]; 4],
}

const REQUEST: u16 = 1_u16.to_be();
const SOLICITATION: u8 = 135;

/// Passes a frame, unless it asks for an address of the cluster's that this node may not
/// answer for.
#[inline(never)]
pub fn verdict<P: Packet>(packet: P) -> i32 {
    let target = match ethertype(packet) {
        ETHERTYPE_ARP => by_arp(again(packet)),
        ETHERTYPE_V6 => by_solicitation(again(packet)),
        _ => None,
    };
    let Some(target) = target else {
        return P::PASS;
    };
    let bits = ADDRS.get(filter::word(&target)).map_or(0, |bits| *bits);
    // A node's own address may share a word with a virtual one: it has to be found, or no
    // probe could bring the next lease.
    if bits & (filter::VIRTUAL | filter::NODE) == filter::VIRTUAL && lease_is_over() {
        return count::drop::<P>(counter::LEASE_ENDED);
    }
    P::PASS
}

#[inline(always)]
fn by_arp<P: Packet>(packet: P) -> Option<Addr> {
    let arp = at::<Arp, P>(packet, L3)?;
    // SAFETY: `at` checked that the packet lies within the frame.
    let (operation, target) = unsafe { ((*arp).operation, (*arp).target_address) };
    (operation == REQUEST).then(|| Addr::v4(u32::from_ne_bytes(target)))
}

#[inline(always)]
fn by_solicitation<P: Packet>(packet: P) -> Option<Addr> {
    if V6::next(packet) != Some(protocol::ICMPV6) {
        return None;
    }
    let solicitation = at::<Solicitation, P>(again(packet), L3 + V6::HEADER as usize)?;
    // SAFETY: `at` checked that the message lies within the frame.
    let (kind, target) = unsafe { ((*solicitation).kind, (*solicitation).target) };
    (kind == SOLICITATION).then(|| Addr {
        words: target.map(u32::from_ne_bytes),
    })
}
