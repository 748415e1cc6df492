//! Fragments follow their first one, also those that come before it.

use ssi_abi::fragment::{Fragment, FragmentKey, HELD_FRAME};
use ssi_abi::server::{flag, server_index};
use ssi_abi::{counter, filter};

use crate::balance::{ethertype, step};
use crate::conntrack;
use crate::count;
use crate::family::{Family, V4, V6};
use crate::forward;
use crate::headers::ETHERTYPE_V4;
use crate::maps::{FRAGMENTS, HELD, SETTINGS};
use crate::packet::Packet;
use crate::parse::Parsed;

/// How long a datagram is followed, in seconds (`net.ipv4.ipfrag_time`).
const SECONDS: u32 = 30;

#[inline(always)]
fn key(parsed: &Parsed) -> FragmentKey {
    FragmentKey {
        source: parsed.source,
        destination: parsed.destination,
        id: parsed.id,
        protocol: u32::from(parsed.protocol),
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

/// Where the first fragment went, as `server_ref`; 0 if it isn't known.
#[inline(always)]
pub fn followed(parsed: &Parsed, now: u32) -> u32 {
    // SAFETY: read at once, before anything could replace it.
    let Some(fragment) = (unsafe { FRAGMENTS.get(key(parsed)).copied() }) else {
        return 0;
    };
    let hz = SETTINGS.get(0).map_or(0, |settings| settings.hz);
    if now.wrapping_sub(fragment.seen) > SECONDS * hz {
        return 0;
    }
    fragment.server
}

/// A fragment that isn't the first, to a virtual address.
#[inline(always)]
pub fn later<P: Packet, F: Family>(packet: P, parsed: &Parsed, bits: u32, handed: bool) -> i32 {
    if handed {
        return P::PASS;
    }
    let now = conntrack::now();
    let reference = followed(parsed, now);
    if reference == 0 {
        if bits & filter::DIRECTED != 0 {
            return step::HOLD;
        }
        return P::PASS;
    }
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
    let len = packet.length();
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
