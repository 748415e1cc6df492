//! Fragments follow their first one, also those that come before it.

use ssi_abi::fragment::{Fragment, FragmentKey, HELD_FRAME};
use ssi_abi::server::{flag, server_index};
use ssi_abi::{counter, filter};

use crate::balance::{ethertype, step};
use crate::conntrack;
use crate::count;
use crate::family::{Family, V4, V6};
use crate::forward;
use crate::headers::{ETHERTYPE_V4, protocol};
use crate::maps::{FRAGMENTS, HELD, SETTINGS};
use crate::packet::Packet;
use crate::parse::{Parsed, extension};

/// How long a datagram is followed, in seconds (`net.ipv4.ipfrag_time`).
const SECONDS: u32 = 30;

/// Instead of a server: our own stack has the first fragment.
pub const OURS: u32 = 0;

#[inline(always)]
fn key(parsed: &Parsed) -> FragmentKey {
    // RFC 8200 §4.5: over IPv6, source, destination and identification are all; the
    // fragments may name different next headers.
    let protocol = if parsed.source.is_v4() {
        u32::from(parsed.protocol)
    } else {
        0
    };
    FragmentKey {
        source: parsed.source,
        destination: parsed.destination,
        id: parsed.id,
        protocol,
    }
}

/// The first fragment goes to this server: note it for the others.
#[inline(always)]
pub fn follow(parsed: &Parsed, server: u32, now: u32) {
    let fragment = Fragment { server, seen: now };
    if FRAGMENTS.insert(key(parsed), fragment, 0).is_err() {
        count::event(counter::TABLE_FULL);
    }
}

/// Where the first fragment went, as `server_ref` or [`OURS`], if it is known.
#[inline(always)]
pub fn followed(parsed: &Parsed, now: u32) -> Option<u32> {
    // SAFETY: read at once, before anything could replace it.
    let fragment = unsafe { FRAGMENTS.get(key(parsed)).copied() }?;
    let hz = SETTINGS.get(0).map_or(0, |settings| settings.hz);
    (now.wrapping_sub(fragment.seen) <= SECONDS * hz).then_some(fragment.server)
}

/// Whether the first fragment may be one that we forward.
#[inline(always)]
fn may_be_balanced<F: Family>(protocol: u8) -> bool {
    match protocol {
        protocol::TCP | protocol::UDP => true,
        // The first fragment may have more headers yet.
        extension::DESTINATION | extension::AUTHENTICATION => !F::V4,
        _ => false,
    }
}

/// A fragment that isn't the first, to a virtual address.
#[inline(always)]
pub fn later<P: Packet, F: Family>(packet: P, parsed: &Parsed, bits: u32, handed: bool) -> i32 {
    if handed || !may_be_balanced::<F>(parsed.protocol) {
        return P::PASS;
    }
    let now = conntrack::now();
    let reference = match followed(parsed, now) {
        Some(OURS) => return P::PASS,
        Some(reference) => reference,
        None if bits & filter::DIRECTED != 0 => return step::HOLD,
        None => return P::PASS,
    };
    match conntrack::server_of(reference) {
        Some(server) if server.flags & flag::DOWN == 0 => {
            forward::to::<P, F>(packet, parsed, server_index(reference), server, now)
        }
        _ => count::drop::<P>(counter::SERVER_GONE),
    }
}

/// Hands it to userspace, which sends it once the first fragment has shown the way.
#[inline(always)]
pub fn hold<P: Packet>(packet: P) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        hold4(packet)
    } else {
        hold6(packet)
    }
}

#[inline(never)]
fn hold4<P: Packet>(packet: P) -> i32 {
    hold_by::<P, V4>(packet)
}

#[inline(never)]
fn hold6<P: Packet>(packet: P) -> i32 {
    hold_by::<P, V6>(packet)
}

#[inline(always)]
fn hold_by<P: Packet, F: Family>(packet: P) -> i32 {
    let parsed = match F::network(packet) {
        Ok(parsed) => parsed,
        Err(reason) => return count::drop::<P>(reason),
    };
    // The compiler would leave a helper's upper half in the register, whose bounds the
    // verifier then doesn't know; through memory, it is 32 bits.
    let len = core::hint::black_box(packet.length());
    if len == 0 || len > HELD_FRAME as u32 {
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    }
    let Some(mut entry) = HELD.reserve(0) else {
        return count::drop::<P>(counter::HOLD_FULL);
    };
    let held = entry.as_mut_ptr();
    // SAFETY: the ring's memory is ours until submitted; every field is written, and what
    // lies behind `len` is left over from earlier frames of the same ring.
    let copied = unsafe {
        (*held).key = key(&parsed);
        (*held).ifindex = packet.ingress();
        (*held).len = len;
        packet.copy((&raw mut (*held).frame).cast(), len)
    };
    if !copied {
        entry.discard(0);
        return count::drop::<P>(counter::TRUNCATED);
    }
    entry.submit(0);
    count::drop::<P>(counter::HELD)
}
