//! Probes of other members: checked, and sent back with this node's clock. A probe of the
//! master also brings a lease.

use ssi_abi::member::{Member, Own, member_flag, own_flag};
use ssi_abi::probe::{BYTES, Probe, WORDS, flag, kind};
use ssi_abi::{Addr, counter};

use crate::balance::ethertype;
use crate::checksum::{difference, fold32, update};
use crate::family::{Family, V4, V6};
use crate::headers::{ETHERTYPE_V4, Ethernet, Ipv4, Ipv6, L3, Udp};
use crate::maps::{MEMBERS, OWN};
use crate::packet::{Packet, at};
use crate::{atomic, count, fence};

/// Time to live of what we send back.
const TTL: u8 = 64;

/// A probe as it lies in a frame: 2-aligned, like all that follows the Ethernet header.
type Halves = [[u16; 4]; WORDS];

/// A UDP packet to the cluster's port, whole, of the right length and without options.
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
    let Some((source, _)) = F::addresses(packet) else {
        return count::drop::<P>(counter::PROBE_MALFORMED);
    };
    let Some(probe) = read::<P, F>(packet) else {
        return count::drop::<P>(counter::PROBE_MALFORMED);
    };
    let Some(own) = OWN.get_ptr_mut(0) else {
        return P::PASS;
    };
    let Some((k0, k1)) = key(own, probe.key_id) else {
        return count::drop::<P>(counter::PROBE_KEY);
    };
    if tag(&probe, k0, k1) != probe.tag {
        return count::drop::<P>(counter::PROBE_TAG);
    }
    if let Err(reason) = accept(own, &source, &probe) {
        return count::drop::<P>(reason);
    }
    if probe.kind != kind::PROBE {
        return P::PASS;
    }
    let now = fence::clock();
    let held = lease(own, &probe, now);
    let mut reflection = probe.reflection(now, held);
    reflection.tag = tag(&reflection, k0, k1);
    if !send::<P, F>(packet, &probe, &reflection) {
        return count::drop::<P>(counter::NO_ROOM);
    }
    count::event(counter::PROBE_REFLECTED);
    packet.redirect(packet.ingress())
}

/// The probe, if it is one.
#[inline(always)]
fn read<P: Packet, F: Family>(packet: P) -> Option<Probe> {
    let l4 = L3 + F::HEADER as usize;
    let udp = at::<Udp, P>(packet, l4)?;
    // SAFETY: `at` checked that the header lies within the frame.
    let length = u16::from_be_bytes(unsafe { (*udp).length });
    if usize::from(length) != size_of::<Udp>() + BYTES {
        return None;
    }
    let halves = at::<Halves, P>(packet, l4 + size_of::<Udp>())?;
    // SAFETY: `at` checked that the probe lies within the frame.
    let halves = unsafe { &*halves };
    let mut words = [0; WORDS];
    for (word, [a, b, c, d]) in words.iter_mut().zip(halves) {
        // The target is little endian, as the wire is.
        *word = u64::from(*a) | u64::from(*b) << 16 | u64::from(*c) << 32 | u64::from(*d) << 48;
    }
    let probe = Probe::unpack(&words);
    probe.is_known().then_some(probe)
}

/// The key of this name, current or previous.
#[inline(always)]
fn key(own: *const Own, id: u16) -> Option<(u64, u64)> {
    // SAFETY: a live map value; a key that is being replaced meanwhile costs one probe.
    let [current, previous] = unsafe { (*own).keys };
    let id = u32::from(id);
    if id == 0 {
        return None;
    }
    if current.id == id {
        return Some((current.k0, current.k1));
    }
    (previous.id == id).then_some((previous.k0, previous.k1))
}

// On a stack of its own, once for both.
#[inline(never)]
fn tag(probe: &Probe, k0: u64, k1: u64) -> u64 {
    probe.expected_tag(k0, k1)
}

/// Whether it comes from who it says, is for us, and is new. The error is a counter.
#[inline(always)]
fn accept(own: *const Own, source: &Addr, probe: &Probe) -> Result<(), u32> {
    let member: *mut Member = MEMBERS.get_ptr_mut(source).ok_or(counter::PROBE_STRANGER)?;
    // SAFETY: a live map value. A lost race with another CPU lets one probe be answered
    // twice, which tells nobody anything new.
    let member = unsafe { &mut *member };
    // SAFETY: a live map value; each field is read in one step.
    let (node, incarnation) = unsafe { ((*own).node, (*own).incarnation) };
    if member.flags & member_flag::FENCED != 0 {
        return Err(counter::FENCED);
    }
    if u32::from(probe.from) != member.node
        || probe.from_incarnation > member.incarnation
        || u32::from(probe.to) != node
    {
        return Err(counter::PROBE_STRANGER);
    }
    if probe.from_incarnation != member.incarnation
        || probe.to_incarnation != incarnation
        || probe.to_incarnation == 0
    {
        return Err(counter::PROBE_OLD);
    }
    // `is_known` says that the kind is 1 to 4; the mask says it to the verifier.
    let nonce = &mut member.nonces[usize::from(probe.kind.wrapping_sub(1)) & (kind::COUNT - 1)];
    if probe.nonce <= *nonce {
        return Err(counter::PROBE_REPLAYED);
    }
    *nonce = probe.nonce;
    member.seen = fence::clock();
    Ok(())
}

/// Takes in the lease that a probe brings; the flags of the reflection.
#[inline(always)]
fn lease(own: *mut Own, probe: &Probe, now: u64) -> u32 {
    // SAFETY: a live map value; see `Own::lease_until` for races.
    unsafe {
        let mut until = (*own).lease_until;
        // A clock that this node hasn't shown yet can't be an earlier reflection's.
        if probe.grant != 0 && probe.grant <= now {
            let granted = probe.grant.saturating_add(probe.lease);
            if granted > until {
                until = granted;
                (*own).lease_until = until;
            }
            atomic::fetch_add(&raw mut (*own).granted, 1);
            count::event(counter::LEASE_GRANTED);
        }
        if (*own).flags & own_flag::LEASED != 0 && until >= now {
            flag::HOLDS
        } else {
            0
        }
    }
}

/// Turns the frame into one that brings the reflection back; false: it could not.
#[inline(always)]
fn send<P: Packet, F: Family>(packet: P, probe: &Probe, reflection: &Probe) -> bool {
    let l4 = L3 + F::HEADER as usize;
    let (Some(ethernet), Some(udp), Some(halves)) = (
        at::<Ethernet, P>(packet, 0),
        at::<Udp, P>(packet, l4),
        at::<Halves, P>(packet, l4 + size_of::<Udp>()),
    ) else {
        return false;
    };
    let (old, new) = (probe.pack(), reflection.pack());
    let mut changed = 0;
    // SAFETY: `at` checked that all of it lies within the frame.
    unsafe {
        let Ethernet {
            destination,
            source,
            kind,
        } = *ethernet;
        *ethernet = Ethernet {
            destination: source,
            source: destination,
            kind,
        };
        let ports = (*udp).ports;
        (*udp).ports.source = ports.destination;
        (*udp).ports.destination = ports.source;
        for (place, (old, new)) in (*halves).iter_mut().zip(old.into_iter().zip(new)) {
            *place = [
                new as u16,
                (new >> 16) as u16,
                (new >> 32) as u16,
                (new >> 48) as u16,
            ];
            changed += difference(old as u32, new as u32);
            changed += difference((old >> 32) as u32, (new >> 32) as u32);
        }
    }
    let turned = if F::V4 { turn4(packet) } else { turn6(packet) };
    // Swapping addresses and ports leaves the sum as it is.
    turned && packet.resum_udp((l4 + 6) as u32, fold32(changed))
}

#[inline(always)]
fn turn4<P: Packet>(packet: P) -> bool {
    let Some(ip) = at::<Ipv4, P>(packet, L3) else {
        return false;
    };
    // SAFETY: `at` checked that the header lies within the frame.
    let ip = unsafe { &mut *ip };
    (ip.source, ip.destination) = (ip.destination, ip.source);
    let time = |ttl| u32::from(u16::from_ne_bytes([ttl, ip.protocol]));
    ip.checksum = update(ip.checksum, difference(time(ip.ttl), time(TTL)));
    ip.ttl = TTL;
    true
}

#[inline(always)]
fn turn6<P: Packet>(packet: P) -> bool {
    let Some(ip) = at::<Ipv6, P>(packet, L3) else {
        return false;
    };
    // SAFETY: `at` checked that the header lies within the frame.
    let ip = unsafe { &mut *ip };
    (ip.source, ip.destination) = (ip.destination, ip.source);
    ip.hop_limit = TTL;
    true
}
