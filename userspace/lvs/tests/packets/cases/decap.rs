//! As a real server: packets that another node's director sent through a tunnel.

use ssi_abi::{counter, filter};

use super::*;
use crate::builder::write::L3;
use crate::case::{Case, Change, Entry, case};
use crate::topology::{INSIDE_MAC, Real};

/// A tunnelled packet from a node to us.
fn sent(from: &Real, us: &Side, inner: &Packet) -> Packet {
    Packet::new(from.addr, us.own)
        .macs(INSIDE_MAC, from.mac)
        .carrying(inner)
}

/// The same when it was opened.
fn opened(from: &Real, inner: &Packet) -> Packet {
    inner.clone().macs(INSIDE_MAC, from.mac)
}

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = Vec::new();
    for outer in [*s, s.other()] {
        let family = if outer.v4 { "IPv4" } else { "IPv6" };
        let world = node(s).peer(outer.b.addr);
        let named = |name: &str| case(format!("{name}, {family} outside"), world.clone());
        let whole = [
            ("a SYN", s.packet().syn()),
            ("an established packet", s.packet().payload(100)),
            ("a UDP datagram", s.datagram()),
            (
                "an ICMP error",
                Packet::new(s.nobody, s.vip).icmp(3, 1, [0; 4]).payload(28),
            ),
            (
                "a fragment",
                s.datagram().payload(100).fragments(64)[1].clone(),
            ),
        ];
        for (name, inner) in whole {
            cases.push(
                named(&format!("{name} from a peer is opened"))
                    .send_inside(sent(&outer.b, &outer, &inner))
                    .passes_as(opened(&outer.b, &inner))
                    .counts(counter::DECAPSULATED),
            );
        }
        let syn = s.packet().syn();
        cases.extend([
            named("a stranger's is left alone")
                .send_inside(sent(&outer.c, &outer, &syn))
                .passes()
                .counts(counter::STRANGER),
            named("for no virtual address it is left alone")
                .send_inside(sent(
                    &outer.b,
                    &outer,
                    &syn.clone().destined(s.nobody, PORT),
                ))
                .passes(),
            named("no hop is taken where it ends")
                .send_inside(sent(&outer.b, &outer, &syn.clone().hops(1)).hops(1))
                .passes_as(opened(&outer.b, &syn.clone().hops(1)))
                .counts(counter::DECAPSULATED),
            named("malformed inside")
                .send_inside(sent(&outer.b, &outer, &syn).patch(outer.l4(), &[0x44]))
                .malformed_inside(s),
            named("our address has a virtual one's hash")
                .then(Change::FilterBits(
                    outer.own,
                    filter::VIRTUAL | filter::CONNS,
                ))
                .send_inside(sent(&outer.b, &outer, &syn))
                .passes_as(opened(&outer.b, &syn))
                .counts(counter::DECAPSULATED),
            named("a tunnel within the tunnel is for the kernel")
                .send_inside(sent(&outer.b, &outer, &sent(&outer.c, &outer, &syn)))
                .passes(),
        ]);
        cases.extend(cut(s, &outer, &world));
    }
    cases.extend(odd(s));
    cases
}

impl crate::case::Pending {
    /// The inner version is 4 and its header 16 bytes long.
    fn malformed_inside(self, s: &Side) -> Case {
        if s.v4 {
            self.dropped(counter::MALFORMED)
                .counts(counter::DECAPSULATED)
        } else {
            // Neither 4 nor 6: nothing of a virtual address in it.
            self.passes()
        }
    }
}

fn node(s: &Side) -> World {
    s.tcp()
        .directed_elsewhere()
        .server(s.a.by_tunnel().local())
        .server(s.b.by_tunnel().node())
}

/// Cut anywhere, it never becomes a packet.
fn cut(s: &Side, outer: &Side, world: &World) -> Vec<Case> {
    let packet = sent(&outer.b, outer, &s.packet().syn());
    let inner = outer.l4() + if s.v4 { 20 } else { 40 };
    let by = |entry, from| {
        let name = format!(
            "cut at every byte, {} outside",
            if outer.v4 { "IPv4" } else { "IPv6" }
        );
        let mut case = case(name, world.clone()).only(entry);
        for len in from..packet.bytes().len() {
            let pending = case.send_inside(packet.clone().cut(len));
            case = if len < outer.l4() {
                pending.dropped(counter::TRUNCATED)
            } else if len < inner {
                pending.passes()
            } else {
                pending
                    .dropped(counter::TRUNCATED)
                    .counts(counter::DECAPSULATED)
            };
        }
        case
    };
    vec![by(Entry::Xdp, L3), by(Entry::Tc, outer.l4())]
}

fn odd(s: &Side) -> Vec<Case> {
    let world = node(s).peer(s.b.addr);
    let tunnelled = sent(&s.b, s, &s.packet().syn());
    let mut cases = vec![
        case("padding behind the inner packet stays", world.clone())
            .send_inside(tunnelled.clone().padding(9))
            .passes_as(opened(&s.b, &s.packet().syn().padding(9)))
            .counts(counter::DECAPSULATED),
    ];
    if s.v4 {
        let mut first = tunnelled.clone().may_fragment();
        first.ip.fragment = (true, 0);
        let mut later = tunnelled.clone().may_fragment();
        later.ip.fragment = (false, 64);
        cases.extend([
            case("options outside: the kernel opens it", world.clone())
                .send_inside(tunnelled.options(8))
                .passes(),
            case("fragments: the kernel puts them together first", world)
                .send_inside(first)
                .passes()
                .send_inside(later)
                .passes(),
        ]);
    }
    cases
}
