//! To the chosen server, by its forwarding method.

use ssi_abi::counter;
use ssi_abi::server::{Server, flag, method, server_ref};

use crate::balance::step;
use crate::family::Family;
use crate::packet::Packet;
use crate::parse::{Parsed, Part};
use crate::{count, fragment, nat, route, tunnel};

/// Gives the packet to a server and counts it.
#[inline(always)]
pub fn to<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    index: u32,
    server: &Server,
    now: u32,
) -> i32 {
    count::incoming(server.service, index, parsed.length);
    if parsed.part == Part::First {
        fragment::follow(parsed, server_ref(index as u16, server.generation), now);
    }
    let local = server.flags & flag::LOCAL != 0;
    if server.method == method::NAT {
        return nat::towards::<P, F>(packet, parsed, server, local);
    }
    unchanged::<P, F>(packet, parsed, server)
}

/// By a method that leaves the packet itself as it is.
#[inline(always)]
pub fn unchanged<P: Packet, F: Family>(packet: P, parsed: &Parsed, server: &Server) -> i32 {
    if server.flags & flag::LOCAL != 0 {
        return P::PASS;
    }
    if server.method == method::TUNNEL {
        return tunnel::wrap::<P, F>(packet, parsed, server);
    }
    if let Err(action) = fits::<P, F>(packet, parsed, server, 0) {
        return action;
    }
    if !F::hop(packet) {
        return count::drop::<P>(counter::TTL);
    }
    route::send(packet, server, F::V4)
}

/// Whether the packet, with `added` bytes, is small enough for the path to the server;
/// else what becomes of it.
#[inline(always)]
pub fn fits<P: Packet, F: Family>(
    packet: P,
    parsed: &Parsed,
    server: &Server,
    added: u32,
) -> Result<(), i32> {
    let mtu = u32::from(server.mtu);
    if mtu == 0 || parsed.length + added <= mtu || packet.segmented() {
        return Ok(());
    }
    if F::V4 && parsed.part == Part::Later {
        // RFC 1122 §3.2.2: no error about a fragment that isn't the first.
        return Err(count::drop::<P>(counter::TOO_BIG_DROPPED));
    }
    Err(step::TOO_BIG + mtu.saturating_sub(added) as i32)
}
