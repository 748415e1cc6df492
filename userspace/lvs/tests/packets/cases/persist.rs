//! Persistence: a client stays with its server.

use ssi_abi::counter;
use ssi_api::lvs::{PortRange, Protocol, Scheduler};

use super::schedule::syn;
use super::*;
use crate::case::{Case, Change, Check, case};

pub fn cases(s: &Side) -> Vec<Case> {
    let widest = if s.v4 { 32 } else { 128 };
    let net = if s.v4 { 24 } else { 64 };
    let two = |prefix| {
        s.tcp()
            .persistent(600, prefix)
            .server(s.a.by_direct())
            .server(s.b.by_direct())
    };
    let other = |n| syn(s, n).sourced(s.other_client, CLIENT + n);
    let attached = |name| case(name, two(widest)).send(syn(s, 0)).direct(&s.a);
    let port_0 = Packet::new(s.client, s.vip).udp(0, PORT);
    let group = |n: u16| {
        let member = |port| PortRange {
            protocol: Protocol::Tcp,
            addr: s.vip,
            first: port,
            last: port,
        };
        let members: Vec<_> = (0..n).map(|i| member(PORT + i)).collect();
        World::default()
            .group(9, &members)
            .persistent(600, widest)
            .server(s.a.by_direct())
            .server(s.b.by_direct())
    };
    vec![
        attached("each connection of a client to one server")
            .send(syn(s, 1))
            .direct(&s.a)
            .send(other(0))
            .direct(&s.b)
            .send(syn(s, 2))
            .direct(&s.a)
            .send(other(1))
            .direct(&s.b)
            .check(Check::Remembered(7)),
        case("clients of one network to one server", two(net))
            .send(syn(s, 0))
            .direct(&s.a)
            .send(other(0))
            .direct(&s.a),
        attached("until it has been away too long")
            .then(Change::Age(599))
            .send(syn(s, 1))
            .direct(&s.a)
            .then(Change::Age(602))
            .send(syn(s, 2))
            .direct(&s.b),
        attached("but not to a drained server")
            .then(Change::Weight(s.a, 0))
            .send(syn(s, 1))
            .direct(&s.b)
            .send(syn(s, 2))
            .direct(&s.b)
            .send(s.packet())
            .direct(&s.a),
        attached("nor to one that is down")
            .then(Change::Down(s.a))
            .send(syn(s, 1))
            .direct(&s.b),
        attached("nor to one that was removed")
            .then(Change::Remove(s.a))
            .send(syn(s, 1))
            .direct(&s.b),
        case("all ports of a group to one server", group(3))
            .send(syn(s, 0))
            .direct(&s.a)
            .send(Packet::new(s.client, s.vip).tcp(CLIENT, PORT + 1).syn())
            .direct(&s.a)
            .send(Packet::new(s.client, s.vip).tcp(CLIENT, PORT + 2).syn())
            .direct(&s.a)
            .send(other(0))
            .direct(&s.b),
        attached("a packet of no connection is for our own stack")
            .send(Packet::new(s.client, s.vip).tcp(CLIENT + 9, PORT))
            .passes()
            .counts(counter::NO_CONNECTION),
        case("with slots", two(widest).scheduler(Scheduler::Slot)).with(|mut case| {
            let first = slot::owner(s, &[s.a, s.b], &syn(s, 0));
            for n in 0..8 {
                case = case.send(syn(s, n)).direct(&first);
            }
            case
        }),
        // The client's attachment has port 0 itself; a packet from there is none of it.
        case("a datagram from port 0 opens no way to a drained server", {
            s.udp()
                .persistent(600, widest)
                .server(s.a.by_direct())
                .server(s.b.by_direct())
        })
        .send(s.datagram())
        .direct(&s.a)
        .then(Change::Weight(s.a, 0))
        .send(port_0)
        .direct(&s.b),
    ]
}
