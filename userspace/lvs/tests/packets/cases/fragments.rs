//! Fragments follow their first one.

use ssi_abi::counter;

use super::nat::answer;
use super::*;
use crate::builder::Extension;
use crate::case::{Case, Change, Check, case};
use crate::topology::{CLIENT_MAC, OUTSIDE_MAC};

/// The server's port under NAT.
const OWN: u16 = 5353;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = methods(s);
    cases.extend(early(s));
    cases.extend(passed(s));
    cases.extend(ends(s));
    cases
}

fn pieces(s: &Side) -> [Packet; 3] {
    s.datagram()
        .payload(300)
        .fragments(128)
        .try_into()
        .expect("three fragments")
}

fn methods(s: &Side) -> Vec<Case> {
    let [first, second, third] = pieces(s);
    let tcp = s.packet().syn().payload(200).fragments(104);
    let mut cases = vec![
        case("by direct routing", s.udp().server(s.a.by_direct()))
            .send(first.clone())
            .direct(&s.a)
            .send(third.clone())
            .direct(&s.a)
            .send(second.clone())
            .direct(&s.a),
        case("TCP", s.tcp().server(s.a.by_direct()))
            .send(tcp[0].clone())
            .direct(&s.a)
            .send(tcp[1].clone())
            .direct(&s.a),
        case("by tunnel", s.udp().server(s.a.by_tunnel()))
            .send(first.clone())
            .tunnel(&s.a)
            .send(second.clone())
            .tunnel(&s.a),
        case("to a local server", s.udp().server(s.a.by_direct().local()))
            .send(first.clone())
            .passes()
            .send(second.clone())
            .passes(),
        case("all to the server of the first, by turns", {
            s.udp().server(s.a.by_direct()).server(s.b.by_direct())
        })
        .send(first.clone())
        .direct(&s.a)
        .send(second.clone())
        .direct(&s.a)
        .send(first.clone().sourced(s.other_client, 0))
        .direct(&s.b)
        .send(second.clone().sourced(s.other_client, 0))
        .direct(&s.b)
        .send(third.clone())
        .direct(&s.a),
        case("by NAT", s.udp().server(s.a.by_nat().port(OWN))).with(|mut case| {
            let translated = s.datagram().payload(300).nat(&s.a, OWN).fragments(128);
            for (packet, out) in pieces(s).into_iter().zip(translated) {
                case = case.send(packet).goes(out);
            }
            case
        }),
        case(
            "by NAT, on the way back",
            s.udp().server(s.a.by_nat().port(OWN)),
        )
        .send(s.datagram())
        .nat(&s.a, OWN)
        .with(|mut case| {
            let reply = answer(&s.datagram(), &s.a, OWN).payload(300);
            let out = reply
                .clone()
                .sourced(s.vip, PORT)
                .hop()
                .macs(CLIENT_MAC, OUTSIDE_MAC);
            for (packet, out) in reply.fragments(128).into_iter().zip(out.fragments(128)) {
                case = case.send_inside(packet).goes(out);
            }
            case
        }),
    ];
    if !s.v4 {
        let packets = s.datagram().payload(300).fragments(128);
        // Options between fragment header and transport header: later fragments name the
        // options as what follows (RFC 8200 §4.5).
        let behind = |packet: &Packet| {
            let packet = packet.clone();
            let builder::Body::Raw(protocol, bytes) = packet.ip.body.clone() else {
                unreachable!("fragments are raw");
            };
            assert_eq!(protocol, 17);
            let first = matches!(
                packet.ip.extensions.last(),
                Some(Extension::Fragment(0, ..))
            );
            let options = [vec![17, 0, 1, 4, 0, 0, 0, 0], bytes.clone()].concat();
            packet.raw(60, if first { options } else { bytes })
        };
        cases.push(
            case(
                "destination options in the first fragment",
                s.udp().server(s.a.by_direct()),
            )
            .send(behind(&packets[0]))
            .direct(&s.a)
            .send(behind(&packets[1]))
            .direct(&s.a),
        );
    }
    cases
}

/// Before their first one.
fn early(s: &Side) -> Vec<Case> {
    let [first, second, third] = pieces(s);
    let one = || s.udp().server(s.a.by_direct());
    let large = s.datagram().payload(6000).fragments(2048);
    vec![
        case("early ones are handed to userspace, whole", one())
            .send(second.clone())
            .dropped(counter::HELD)
            .send(third.clone())
            .dropped(counter::HELD)
            .check(Check::Held(vec![second.clone(), third.clone()]))
            .send(first.clone())
            .direct(&s.a)
            .send(second.clone())
            .direct(&s.a)
            .check(Check::Held(vec![])),
        case("an early one that is too large to be held", one())
            .send(large[1].clone())
            .dropped(counter::TOO_BIG_DROPPED)
            .check(Check::Held(vec![])),
        case("the largest that is held", one()).with(|case| {
            let room = 2048 - s.l4() - if s.v4 { 0 } else { 8 };
            let fragment = s.datagram().payload(6000).fragments(room / 8 * 8)[1].clone();
            let fragment = fragment.padding(room % 8);
            assert_eq!(fragment.bytes().len(), 2048);
            case.send(fragment.clone())
                .dropped(counter::HELD)
                .check(Check::Held(vec![fragment]))
        }),
        case(
            "not the director: for our own stack",
            one().directed_elsewhere(),
        )
        .send(second.clone())
        .passes(),
        case("forgotten after half a minute", one())
            .send(first.clone())
            .direct(&s.a)
            .then(Change::Age(29))
            .send(second.clone())
            .direct(&s.a)
            .then(Change::Age(2))
            .send(second)
            .dropped(counter::HELD),
        case("other datagrams' are told apart", one())
            .send(first)
            .direct(&s.a)
            .with(|case| {
                let mut other = third.clone();
                if s.v4 {
                    other.ip.id += 1;
                } else {
                    other.ip.extensions = vec![Extension::Fragment(256, false, 1)];
                }
                case.send(other.clone())
                    .dropped(counter::HELD)
                    .send(third.clone().sourced(s.other_client, 0))
                    .dropped(counter::HELD)
            }),
    ]
}

/// Of packets that are for our own stack.
fn passed(s: &Side) -> Vec<Case> {
    let all = |name, world: World, packet: Packet| {
        let mut case = case(name, world);
        for fragment in packet.fragments(64) {
            case = case.send(fragment).passes();
        }
        case
    };
    let one = || s.udp().server(s.a.by_direct());
    let to = Packet::new(s.client, s.vip);
    vec![
        all(
            "echo to the virtual address",
            one(),
            to.clone().echo().payload(150),
        ),
        all(
            "another port of the virtual address",
            one(),
            to.clone().udp(1, 2).payload(150),
        ),
        all("another protocol", one(), to.raw(47, builder::pattern(150))),
        case(
            "a TCP fragment of no connection",
            s.tcp().server(s.a.by_direct()),
        )
        .with(|mut case| {
            let fragments = s.packet().payload(150).fragments(64);
            case = case
                .send(fragments[0].clone())
                .passes()
                .counts(counter::NO_CONNECTION);
            for fragment in &fragments[1..] {
                case = case.send(fragment.clone()).passes();
            }
            case
        }),
    ]
}

fn ends(s: &Side) -> Vec<Case> {
    let [first, second, _] = pieces(s);
    let opened = |name| {
        case(
            name,
            s.udp().server(s.a.by_direct()).server(s.b.by_direct()),
        )
        .send(first.clone())
        .direct(&s.a)
    };
    vec![
        opened("the server is down")
            .then(Change::Down(s.a))
            .send(second.clone())
            .dropped(counter::SERVER_GONE),
        opened("the server was removed")
            .then(Change::Remove(s.a))
            .send(second.clone())
            .dropped(counter::SERVER_GONE),
        opened("the server is drained: the datagram goes on")
            .then(Change::Weight(s.a, 0))
            .send(second.clone())
            .direct(&s.a),
        opened("no hop left")
            .send(second.hops(1))
            .dropped(counter::TTL),
        case("no server", s.udp())
            .send(first.clone())
            .dropped(counter::NO_SERVER),
    ]
}
