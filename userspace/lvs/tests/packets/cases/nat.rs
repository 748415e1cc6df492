//! NAT: the server's address and port in, the service's out, with every checksum.

use ssi_abi::conn::state;
use ssi_abi::counter;

use super::direct::sized;
use super::tunnel::told;
use super::*;
use crate::builder::ACK;
use crate::case::{Case, Check, case};
use crate::topology::{CLIENT_MAC, INSIDE_MAC, OUTSIDE_MAC, Real};
use crate::world::Way;

/// The server's port.
const OWN: u16 = 8080;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = towards(s);
    cases.extend(returning(s));
    cases.extend(local(s));
    cases
}

/// A server's answer to a packet.
pub fn answer(packet: &Packet, server: &Real, port: u16) -> Packet {
    packet
        .clone()
        .destined(server.addr, port)
        .reversed()
        .macs(INSIDE_MAC, server.mac)
}

/// The answer on its way to the client, with the virtual address and port.
pub fn on_its_way(s: &Side, answer: &Packet) -> Packet {
    answer
        .clone()
        .sourced(s.vip, PORT)
        .hop()
        .macs(CLIENT_MAC, OUTSIDE_MAC)
}

fn mapped(s: &Side) -> World {
    s.tcp().server(s.a.by_nat().port(OWN))
}

fn towards(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let udp = || s.udp().server(s.a.by_nat().port(5353));
    vec![
        case("address and port", mapped(s))
            .send(syn.clone())
            .nat(&s.a, OWN),
        case("the address alone", s.tcp().server(s.a.by_nat()))
            .send(syn.clone())
            .nat(&s.a, PORT),
        case("UDP", udp()).send(s.datagram()).nat(&s.a, 5353),
        case("every payload length", udp()).with(|mut case| {
            for len in 0..40 {
                case = case.send(s.datagram().payload(len)).nat(&s.a, 5353);
            }
            case
        }),
        case("every checksum of UDP around 0", udp()).with(|mut case| {
            // The port's two bytes are summed as they are, so some of these come out as 0.
            for low in 0..=255 {
                let mut packet = s.datagram().payload(2);
                let builder::Body::Udp(udp) = &mut packet.ip.body else {
                    unreachable!("it is UDP");
                };
                let rest = zeroing(s, low);
                udp.payload = rest.to_vec();
                case = case.send(packet).nat(&s.a, 5353);
            }
            case
        }),
        case(
            "too big for the path",
            s.udp().server(s.a.by_nat().port(5353).mtu(1300)),
        )
        .send(sized(s, 1300))
        .nat(&s.a, 5353)
        .send(sized(s, 1301))
        .comes_back(told(&sized(s, 1301), 1300))
        .counts(counter::TOO_BIG),
        case("no hop left", mapped(s))
            .send(syn.clone().hops(1))
            .dropped(counter::TTL),
        case(
            "back out where it came from",
            s.tcp().server(s.d.by_nat().port(OWN)),
        )
        .send(syn.clone())
        .nat(&s.d, OWN),
        case("asks the kernel for the way", {
            s.tcp().server(s.b.by_nat().port(OWN).way(Way::NoNeighbour))
        })
        .send(syn.clone())
        .nat(&s.b, OWN),
        case("a wrong checksum stays as wrong", mapped(s))
            .send(syn.clone().patch(s.l4() + 16, &wrong(&syn, s)))
            .goes(
                syn.clone()
                    .nat(&s.a, OWN)
                    .patch(s.l4() + 16, &wrong(&syn.nat(&s.a, OWN), s)),
            ),
    ]
}

/// Two bytes of payload with which a translated datagram's checksum is close to 0.
fn zeroing(s: &Side, low: u8) -> [u8; 2] {
    let mut packet = s.datagram().destined(s.a.addr, 5353);
    let builder::Body::Udp(udp) = &mut packet.ip.body else {
        unreachable!("it is UDP");
    };
    udp.payload = vec![0, 0];
    let bytes = packet.ip.transport();
    let sum = u16::from_be_bytes([bytes[6], bytes[7]]);
    sum.wrapping_add(u16::from(low))
        .wrapping_sub(128)
        .to_be_bytes()
}

/// A packet's TCP checksum, off by one in the sum.
fn wrong(packet: &Packet, s: &Side) -> [u8; 2] {
    let bytes = packet.bytes();
    let at = s.l4() + 16;
    let sum = u32::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])) + 1;
    ((sum & 0xffff) as u16 + (sum >> 16) as u16).to_be_bytes()
}

fn returning(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let reply = answer(&syn, &s.a, OWN).flags(builder::SYN | ACK);
    let opened = |name| case(name, mapped(s)).send(syn.clone()).nat(&s.a, OWN);
    let sizes = [syn.size(), reply.size()];
    let datagram = s.datagram();
    let datagram_reply = answer(&datagram, &s.a, 5353);
    vec![
        opened("the answer has the virtual address and port")
            .send_inside(reply.clone())
            .goes(on_its_way(s, &reply))
            .check(Check::Stats(s.a, [1, 1, sizes[0], 1, sizes[1]]))
            .check(Check::Service([1, 1, sizes[0], 1, sizes[1]])),
        case(
            "the answer over UDP",
            s.udp().server(s.a.by_nat().port(5353)),
        )
        .send(datagram.clone())
        .nat(&s.a, 5353)
        .send_inside(datagram_reply.clone())
        .goes(on_its_way(s, &datagram_reply)),
        opened("the answer's last hop")
            .send_inside(reply.clone().hops(1))
            .dropped(counter::TTL),
        opened("another port of the server is none of ours")
            .send_inside(answer(&syn, &s.a, OWN + 1))
            .passes(),
        opened("another client's answer is none of ours")
            .send_inside(answer(&syn, &s.a, OWN).destined(s.other_client, CLIENT))
            .passes(),
        opened("another machine's packet is none of ours")
            .send_inside(answer(&syn, &s.b, OWN))
            .passes(),
        opened("an answer cut short")
            .send_inside(reply.clone().cut(s.l4() + 19))
            .passes(),
        case(
            "a client without a neighbour entry: the kernel sends it",
            mapped(s),
        )
        .send(syn.clone().sourced(s.other_client, CLIENT))
        .nat(&s.a, OWN)
        .send_inside(reply.clone().destined(s.other_client, CLIENT))
        .passes_as(
            reply
                .clone()
                .destined(s.other_client, CLIENT)
                .sourced(s.vip, PORT)
                .hop(),
        ),
        opened("a whole connection").with(|case| {
            let ack = s.packet();
            let fin = s.packet().fin();
            let fin_reply = answer(&fin, &s.a, OWN);
            case.send_inside(reply.clone())
                .goes(on_its_way(s, &reply))
                .send(ack.clone())
                .nat(&s.a, OWN)
                .check(Check::Known(ack, s.a, state::ESTABLISHED))
                .check(Check::Load(s.a, 1, 0))
                .send(fin.clone().payload(100))
                .nat(&s.a, OWN)
                .send_inside(fin_reply.clone())
                .goes(on_its_way(s, &fin_reply))
                .check(Check::Known(fin, s.a, state::FIN))
                .check(Check::Load(s.a, 0, 1))
                .check(Check::Remembered(2))
        }),
    ]
}

/// The server is this node itself.
fn local(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let world = s.tcp().server(s.a.by_nat().port(OWN).local());
    let reply = answer(&syn, &s.a, OWN);
    let opened = |name| {
        case(name, world.clone())
            .send(syn.clone().hops(1))
            .passes_as(syn.clone().hops(1).destined(s.a.addr, OWN))
    };
    vec![
        opened("a local server gets it by our own stack"),
        opened("its answer gets the virtual address on its way out")
            .send_leaving(reply.clone())
            .passes_as(reply.clone().sourced(s.vip, PORT)),
        opened("what else leaves is left alone")
            .send_leaving(reply.sourced(s.a.addr, 22))
            .passes()
            .send_leaving(Packet::new(s.own, s.client).tcp(OWN, CLIENT))
            .passes(),
    ]
}
