//! Frames for another host, which a switch sends everywhere because it doesn't know where
//! that host is. Whoever gets a copy leaves it alone.

use super::schedule::syn;
use super::*;
use crate::case::{Case, Change, case};
use crate::topology::{INSIDE_MAC, Mac, OUTSIDE_MAC};

/// A host that was here until a moment ago.
const ELSEWHERE: Mac = [2, 0, 0, 0, 1, 0xee];

pub fn cases(s: &Side) -> Vec<Case> {
    let (a, b) = (s.a.by_direct(), s.b.by_direct());
    let astray = |packet: Packet| packet.macs(ELSEWHERE, s.c.mac);
    let mut cases: Vec<Case> = [
        ("rr", s.tcp().server(a)),
        ("slot", s.tcp().slot().server(a)),
    ]
    .into_iter()
    .map(|(name, world)| {
        case(format!("to the director, {name}"), world)
            .send(astray(syn(s, 0)))
            .passes()
            .send(astray(s.packet()))
            .passes()
            .send(syn(s, 0))
            .direct(&s.a)
    })
    .collect();
    let elsewhere = s
        .tcp()
        .slot()
        .directed_elsewhere()
        .server(a.node())
        .service(udp(s.vip, PORT));
    cases.push(
        case("to a server: no second chance", elsewhere)
            .then(Change::Add(b.node().local()))
            .then(Change::Weight(s.a, 0))
            .send_inside(astray(s.packet()))
            .passes()
            .send_inside(s.packet().macs(INSIDE_MAC, s.c.mac))
            .direct(&s.a)
            .counts(ssi_abi::counter::SECOND_CHANCE),
    );
    let tunnelled = Packet::new(s.b.addr, s.own)
        .macs(OUTSIDE_MAC, s.b.mac)
        .carrying(&s.packet());
    cases.push(
        case("in a tunnel", s.tcp().slot().peer(s.b.addr).server(a))
            .send_inside(tunnelled)
            .passes(),
    );
    cases
}
