//! The one scheduling core: what becomes of a frame.

use ssi_abi::service::{flag, scheduler};
use ssi_abi::{Addr, counter, filter, server};

use crate::chance;
use crate::choice::{self, Choice};
use crate::conntrack;
use crate::count;
use crate::family::{Family, V4, V6};
use crate::fence;
use crate::flow::{self, Place};
use crate::forward;
use crate::fragment;
use crate::headers::{ETHERTYPE_V4, ETHERTYPE_V6, Ethernet, protocol};
use crate::icmp;
use crate::maps::{ADDRS, SERVERS, SETTINGS};
use crate::nat;
use crate::neighbour;
use crate::packet::{Packet, at};
use crate::parse::{self, Parsed, Part};
use crate::probe;
use crate::schedule;
use crate::service;
use crate::too_big;
use crate::tunnel;

/// Not verdicts, but what else is to be done with a frame: the rare and long ways, which
/// start from here anew, so that they don't pile their stacks on the common one's.
pub mod step {
    /// It was taken out of a tunnel: look at it again.
    pub const AGAIN: i32 = i32::MIN;
    /// It may come from a NAT server.
    pub const RETURNING: i32 = i32::MIN + 1;
    /// It may be an ICMP error about a flow of ours.
    pub const RELATED: i32 = i32::MIN + 2;
    /// It came before the first fragment of its datagram.
    pub const HOLD: i32 = i32::MIN + 3;
    /// It is to this node itself: perhaps to or from the cluster's port.
    pub const NODE: i32 = i32::MIN + 4;
    /// It may be a probe.
    pub const PROBE: i32 = i32::MIN + 5;
    /// It is too big; plus the largest size that isn't.
    pub const TOO_BIG: i32 = i32::MIN + 0x1_0000;
    /// It is an ICMP error for a NAT server; plus the server's index.
    pub const REWRITE: i32 = i32::MIN + 0x2_0000;
    /// Everything from here on is a verdict.
    pub const VERDICT: i32 = -0x1_0000;
}

/// What becomes of a frame.
#[inline(always)]
pub fn frame<P: Packet>(packet: P) -> i32 {
    // Each node that gets a copy would pass it on to the same server, and if that is the very
    // host that the switch doesn't find, all copies come by here again.
    if packet.for_another() {
        return P::PASS;
    }
    let mut action = look(packet, false);
    if action >= step::VERDICT {
        return settled(packet, action);
    }
    if action == step::NODE {
        action = fence::arrived(packet);
    }
    if action == step::AGAIN {
        action = look(packet, true);
    }
    action = match action {
        step::RETURNING => nat::returning(packet),
        step::RELATED => icmp::related(packet),
        step::HOLD => fragment::hold(packet),
        step::PROBE => probe::arrived(packet),
        other => other,
    };
    if action >= step::VERDICT {
        return settled(packet, action);
    }
    if action >= step::REWRITE {
        return icmp::translated(packet, (action - step::REWRITE) as u32);
    }
    if action >= step::TOO_BIG {
        return too_big::tell(packet, (action - step::TOO_BIG) as u32);
    }
    // A tunnel within a tunnel is for the kernel to open.
    P::PASS
}

/// The verdict on a frame. What is left to the stack may be a question that it must not
/// answer.
#[inline(always)]
fn settled<P: Packet>(packet: P, action: i32) -> i32 {
    if action == P::PASS {
        return neighbour::verdict(packet);
    }
    action
}

/// IPv4, IPv6 or neither.
#[inline(always)]
pub fn ethertype<P: Packet>(packet: P) -> u16 {
    // SAFETY: `at` checked that the header lies within the frame.
    at::<Ethernet, P>(packet, 0).map_or(0, |ethernet| unsafe { (*ethernet).kind })
}

#[inline(always)]
fn look<P: Packet>(packet: P, handed: bool) -> i32 {
    match ethertype(packet) {
        ETHERTYPE_V4 => v4(packet, handed),
        ETHERTYPE_V6 => v6(packet, handed),
        _ => P::PASS,
    }
}

// Two functions for the verifier, so that neither pays for the other's stack and paths.
#[inline(never)]
fn v4<P: Packet>(packet: P, handed: bool) -> i32 {
    ip::<P, V4>(packet, handed)
}

#[inline(never)]
fn v6<P: Packet>(packet: P, handed: bool) -> i32 {
    ip::<P, V6>(packet, handed)
}

/// `handed`: another node's director has given it to us.
#[inline(always)]
fn ip<P: Packet, F: Family>(packet: P, handed: bool) -> i32 {
    let Some((source, destination)) = F::addresses(packet) else {
        return count::drop::<P>(counter::TRUNCATED);
    };
    let bits = ADDRS
        .get(filter::word(&destination))
        .map_or(0, |bits| *bits);
    if bits & filter::VIRTUAL != 0 {
        let action = inbound::<P, F>(packet, bits, handed);
        if action != P::PASS || handed {
            return action;
        }
        // Perhaps the address only shares its word of the filter with a virtual one.
    }
    if bits & filter::NODE != 0 {
        return step::NODE;
    }
    onward::<P, F>(packet, &source)
}

/// A packet to no virtual address and not for the cluster's port.
#[inline(always)]
pub fn onward<P: Packet, F: Family>(packet: P, source: &Addr) -> i32 {
    if let Some(protocol::IPIP | protocol::IPV6) = F::next(packet) {
        return tunnel::arrived::<P, F>(packet, source);
    }
    let bits = ADDRS.get(filter::word(source)).map_or(0, |bits| *bits);
    if bits & filter::REAL != 0 {
        return step::RETURNING;
    }
    P::PASS
}

/// A packet to what may be a virtual address.
#[inline(always)]
fn inbound<P: Packet, F: Family>(packet: P, bits: u32, handed: bool) -> i32 {
    let mut parsed = match F::network(packet) {
        Ok(parsed) => parsed,
        Err(reason) => return count::drop::<P>(reason),
    };
    if parsed.part == Part::Later {
        return fragment::later::<P, F>(packet, &parsed, bits, handed);
    }
    match parsed.protocol {
        protocol::TCP | protocol::UDP => {}
        protocol::ICMP if F::V4 && !handed => return step::RELATED,
        protocol::ICMPV6 if !F::V4 && !handed => return step::RELATED,
        _ => return P::PASS,
    }
    if let Err(reason) = parse::transport(packet, &mut parsed) {
        return count::drop::<P>(reason);
    }
    let now = conntrack::now();
    let index = match decide::<P, F>(packet, &parsed, bits, handed, now) {
        Ok(index) => index,
        Err(action) => {
            if parsed.part == Part::First && bits & filter::DIRECTED != 0 && action == P::PASS {
                fragment::follow(&parsed, fragment::OURS, now);
            }
            return action;
        }
    };
    match SERVERS.get(index) {
        Some(server) if index != 0 && server.service != 0 => {
            forward::to::<P, F>(packet, &parsed, index, server, now)
        }
        _ => count::drop::<P>(counter::NO_SERVER),
    }
}

/// The server that gets the packet, 0 if none can; or what else becomes of it.
#[inline(always)]
fn decide<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    bits: u32,
    handed: bool,
    now: u32,
) -> Result<u32, i32> {
    let key = F::key(parsed);
    // Only a director asks for the same flow again and again. TCP's SYN, FIN and RST go the
    // long way, which has to see them; where connections are remembered, they end the copy.
    let goes_on = parsed.goes_on();
    let mut place = None;
    if bits & filter::DIRECTED != 0 && !handed && (goes_on || bits & filter::CONNS != 0) {
        place = flow::place::<F>(&key);
        if !goes_on && let Some(ended) = place.take() {
            ended.forget();
        }
    }
    if let Some(place) = &place
        && let Some(index) = usable(place.fresh(now))
    {
        return Ok(index);
    }
    if bits & filter::CONNS != 0
        && !handed
        && let Some(head) = F::find(&key)
    {
        // A SYN to a node that directs no more comes from whoever does, which has chosen it.
        let reference = if parsed.opens() && parsed.is_tcp() && bits & filter::DIRECTED == 0 {
            conntrack::leave(head);
            0
        } else {
            conntrack::touch(head, parsed, now)
        };
        if reference != 0
            && let Some(server) = conntrack::server_of(reference)
        {
            if server.flags & server::flag::DOWN == 0 {
                if let Some(place) = &place
                    && conntrack::steady(head)
                {
                    place.remember(reference, now);
                }
                return Ok(server::server_index(reference));
            }
            if !parsed.opens() {
                return Err(count::drop::<P>(counter::SERVER_GONE));
            }
        }
        // Not all connections are remembered: what is known of an earlier one must not be
        // taken for this one's.
        if parsed.opens() {
            F::forget(&key);
        }
    }
    unknown::<P, F>(packet, parsed, &key, &place, now, handed)
}

/// The index of a server that is there and not down.
#[inline(always)]
fn usable(reference: u32) -> Option<u32> {
    let server = conntrack::server_of(reference)?;
    (server.flags & server::flag::DOWN == 0).then(|| server::server_index(reference))
}

/// A packet of no remembered connection.
#[inline(always)]
fn unknown<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    key: &F::Key,
    place: &Option<Place>,
    now: u32,
    handed: bool,
) -> Result<u32, i32> {
    let Some((number, service)) = service::find(parsed) else {
        return Err(P::PASS);
    };
    let Some(settings) = SETTINGS.get(0) else {
        return Err(P::PASS);
    };
    let opens = parsed.opens();
    if service.flags & flag::DIRECTOR == 0 || handed {
        return chance::deliver::<P>(packet, parsed, service, settings);
    }
    // Another node may be the director by now. What is remembered goes on: its servers are
    // the same ones, whoever directs.
    if fence::lease_is_over() {
        return Err(count::drop::<P>(counter::LEASE_ENDED));
    }
    let choice = if opens && service.persist != 0 {
        choice::persistent::<F>(parsed, number, service, settings, now)
    } else if service.scheduler == scheduler::SLOT {
        choice::by_slot::<P>(packet, parsed, service, settings)?
    } else if !opens && service.scheduler != scheduler::HASH {
        // Its server can't be told any more. If this node has the connection all the
        // same, its stack knows; if not, it answers with a reset.
        count::event(counter::NO_CONNECTION);
        return Err(P::PASS);
    } else {
        Choice {
            index: schedule::pick(parsed, number, service, settings),
            remember: service.flags & flag::ONE_PACKET == 0,
            copy: false,
        }
    };
    let index = choice.index;
    let Some(server) = SERVERS.get(index) else {
        return Ok(0);
    };
    if index == 0 || server.service == 0 {
        return Ok(0);
    }
    if choice.remember {
        conntrack::create::<F>(parsed, key, index, server, now);
    } else if choice.copy
        && let Some(place) = place
    {
        place.remember(server::server_ref(index as u16, server.generation), now);
    }
    let one_packet = service.flags & flag::ONE_PACKET != 0;
    if opens && (choice.remember || parsed.is_tcp() || one_packet) {
        count::connection(server.service, index);
    }
    Ok(index)
}
