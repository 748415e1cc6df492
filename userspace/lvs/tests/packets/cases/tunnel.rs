//! Tunnels to the servers: IPIP, IP6IP6, and one family within the other.

use ssi_abi::counter;

use super::*;
use crate::builder::write::L3;
use crate::case::{Case, case};
use crate::topology::{CLIENT_MAC, OUTSIDE_MAC, TTL};
use crate::world::Way;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = Vec::new();
    for (outer, server) in [("IPv4", side(s, true).a), ("IPv6", side(s, false).a)] {
        let world = s.tcp().server(server.by_tunnel());
        let syn = s.packet().syn();
        let named = |name: &str| case(format!("{name}, {outer} outside"), world.clone());
        cases.extend([
            named("a SYN").send(syn.clone()).tunnel(&server),
            named("the class is copied")
                .send(syn.clone().class(0xba))
                .tunnel(&server),
            named("padding stays behind")
                .send(syn.clone().padding(6))
                .tunnel(&server),
            named("no hop left")
                .send(syn.clone().hops(1))
                .dropped(counter::TTL),
        ]);
    }
    cases.extend(ways(s));
    cases.extend(too_big(s));
    cases
}

fn side(s: &Side, v4: bool) -> Side {
    if s.v4 == v4 { *s } else { s.other() }
}

fn ways(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    vec![
        case("a UDP datagram", s.udp().server(s.a.by_tunnel()))
            .send(s.datagram())
            .tunnel(&s.a),
        case(
            "back out where it came from",
            s.tcp().server(s.d.by_tunnel()),
        )
        .send(syn.clone())
        .tunnel(&s.d),
        case(
            "asks the kernel for the way",
            s.tcp().server(s.b.by_tunnel().way(Way::NoNeighbour)),
        )
        .send(syn.clone())
        .tunnel(&s.b),
        case(
            "no neighbour",
            s.tcp().server(s.silent.by_tunnel().way(Way::NoNeighbour)),
        )
        .send(syn.clone())
        .dropped(counter::NO_NEIGHBOUR),
        case(
            "no route",
            s.tcp().server(s.unroutable.by_tunnel().way(Way::Unknown)),
        )
        .send(syn.clone())
        .dropped(counter::NO_ROUTE),
        case(
            "a local server needs no tunnel",
            s.tcp().server(s.a.by_tunnel().local()),
        )
        .send(syn)
        .passes(),
    ]
}

/// What the sender of a packet that is too big is told.
pub fn told(packet: &Packet, mtu: u16) -> Packet {
    let [high, low] = mtu.to_be_bytes();
    let answer = Packet::new(packet.ip.destination, packet.ip.source)
        .macs(CLIENT_MAC, OUTSIDE_MAC)
        .hops(TTL)
        .may_fragment();
    let mut answer = if packet.ip.source.is_ipv4() {
        answer.icmp(3, 4, [0, 0, high, low])
    } else {
        answer.icmp(2, 0, [0, 0, high, low])
    };
    answer.ip.id = 0;
    answer.quoting(packet, 128)
}

fn too_big(s: &Side) -> Vec<Case> {
    let (v4, v6) = (side(s, true).a, side(s, false).a);
    let mut cases = Vec::new();
    for (server, outer) in [(v4, 20), (v6, 40)] {
        let world = s.udp().server(server.by_tunnel().mtu(1400));
        let fits = s.datagram().payload(1400 - outer - (s.l4() - L3) - 8);
        let large = s.datagram().payload(1400 - outer - (s.l4() - L3) - 7);
        assert_eq!(fits.size(), 1400 - outer as u64);
        let answer = told(&large, 1400 - outer as u16);
        cases.push(
            case(format!("just fits, {outer} bytes outside"), world.clone())
                .send(fits)
                .tunnel(&server),
        );
        cases.push(
            case(format!("a byte too big, {outer} bytes outside"), world)
                .send(large.clone())
                .comes_back(answer)
                .counts(counter::TOO_BIG),
        );
    }
    cases.push(
        case("a later fragment too big: no error about it over IPv4", {
            s.udp().server(s.a.by_tunnel().mtu(1400))
        })
        .with(|case| {
            let whole = s.datagram().payload(4000);
            let (first, later) = (&whole.fragments(64)[0], &whole.fragments(1392)[1]);
            let case = case.send(first.clone()).tunnel(&s.a).send(later.clone());
            if s.v4 {
                case.dropped(counter::TOO_BIG_DROPPED)
            } else {
                case.comes_back(told(later, 1360)).counts(counter::TOO_BIG)
            }
        }),
    );
    let large = s.datagram().payload(1460);
    let options = s.datagram().payload(1430);
    cases.push(
        case("nobody knows the size", s.udp().server(s.a.by_tunnel()))
            .send(large.clone())
            .tunnel(&s.a),
    );
    cases.push(
        case(
            "too big, back in time",
            s.udp().server(s.a.by_tunnel().mtu(1400)),
        )
        .send(large.clone().hops(1))
        .comes_back(told(&large.hops(1), if s.v4 { 1380 } else { 1360 }))
        .counts(counter::TOO_BIG),
    );
    if s.v4 {
        let options = options.options(40);
        cases.push(
            case(
                "too big, with options",
                s.udp().server(s.a.by_tunnel().mtu(1400)),
            )
            .send(options.clone())
            .comes_back(told(&options, 1380))
            .counts(counter::TOO_BIG),
        );
    }
    cases
}
