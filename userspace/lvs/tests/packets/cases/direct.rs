//! Direct routing: only the MAC addresses change, and the time to live.

use ssi_abi::counter;

use super::tunnel::told;
use super::*;
use crate::case::{Case, case};
use crate::world::Way;

/// A datagram of so many bytes.
pub fn sized(s: &Side, bytes: usize) -> Packet {
    let packet = s
        .datagram()
        .payload(bytes - s.datagram().payload(0).size() as usize);
    assert_eq!(packet.size(), bytes as u64);
    packet
}

pub fn cases(s: &Side) -> Vec<Case> {
    let one = || s.tcp().server(s.a.by_direct());
    let syn = s.packet().syn();
    vec![
        case("a SYN goes to the server", one())
            .send(syn.clone())
            .direct(&s.a),
        case(
            "a UDP datagram goes to the server",
            s.udp().server(s.a.by_direct()),
        )
        .send(s.datagram())
        .direct(&s.a),
        case("out where it came from", s.tcp().server(s.d.by_direct()))
            .send(syn.clone())
            .direct(&s.d),
        case("type of service stays", one())
            .send(syn.clone().class(0xb8))
            .direct(&s.a),
        case("padding stays", one())
            .send(syn.clone().padding(6))
            .direct(&s.a),
        case("the last hop but one", one())
            .send(syn.clone().hops(2))
            .direct(&s.a),
        case("no hop left", one())
            .send(syn.clone().hops(1))
            .dropped(counter::TTL),
        case("no hop at all", one())
            .send(syn.clone().hops(0))
            .dropped(counter::TTL),
        case(
            "a local server gets it by our own stack",
            s.tcp().server(s.a.by_direct().local()),
        )
        .send(syn.clone().hops(1))
        .passes(),
        case(
            "asks the kernel for the way",
            s.tcp().server(s.a.by_direct().way(Way::NoNeighbour)),
        )
        .send(syn.clone())
        .direct(&s.a),
        case(
            "no neighbour",
            s.tcp().server(s.silent.by_direct().way(Way::NoNeighbour)),
        )
        .send(syn.clone())
        .dropped(counter::NO_NEIGHBOUR),
        case(
            "no route",
            s.tcp().server(s.unroutable.by_direct().way(Way::Unknown)),
        )
        .send(syn.clone())
        .dropped(counter::NO_ROUTE),
        case("a packet of no connection is for our own stack", one())
            .send(s.packet().payload(1400))
            .passes()
            .counts(counter::NO_CONNECTION),
        case(
            "just small enough",
            s.udp().server(s.a.by_direct().mtu(1300)),
        )
        .send(sized(s, 1300))
        .direct(&s.a),
        case(
            "too big for the path",
            s.udp().server(s.a.by_direct().mtu(1300)),
        )
        .send(sized(s, 1301))
        .comes_back(told(&sized(s, 1301), 1300))
        .counts(counter::TOO_BIG),
        case("too big is not too big for our own stack", {
            s.udp().server(s.a.by_direct().mtu(1300).local())
        })
        .send(sized(s, 1301))
        .passes(),
        case("no server", s.tcp())
            .send(syn)
            .dropped(counter::NO_SERVER),
    ]
}
