//! To the chosen server, by its forwarding method.

use ssi_abi::counter;
use ssi_abi::server::{Server, flag, method, server_ref};

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
    if !F::hop(packet) {
        return count::drop::<P>(counter::TTL);
    }
    route::send(packet, server, F::V4)
}
