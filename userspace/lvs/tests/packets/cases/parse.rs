//! What is looked at, what is left alone, what is malformed.

use ssi_abi::{counter, filter};

use super::*;
use crate::builder::write::L3;
use crate::builder::{Extension, pattern};
use crate::case::{Case, Change, Entry, case};

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = left_alone(s);
    cases.extend(transport(s));
    cases.extend(if s.v4 { ipv4(s) } else { ipv6(s) });
    cases.extend(collisions(s));
    cases
}

fn one(s: &Side) -> World {
    s.tcp().server(s.a.by_direct())
}

fn left_alone(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    vec![
        case("none of our addresses", one(s))
            .send(Packet::new(s.client, s.nobody).tcp(1, 2).syn())
            .passes(),
        case("another port", one(s))
            .send(Packet::new(s.client, s.vip).tcp(CLIENT, PORT + 1).syn())
            .passes(),
        case("the same port of the other protocol", one(s))
            .send(s.datagram())
            .passes(),
        case("echo to the virtual address is for our own stack", one(s))
            .send(Packet::new(s.client, s.vip).echo())
            .passes(),
        case("another protocol to the virtual address", one(s))
            .send(Packet::new(s.client, s.vip).raw(47, pattern(24)))
            .passes(),
        case("a VLAN tag", one(s))
            .send(syn.clone().patch(12, &[0x81, 0]))
            .passes(),
        case("neither IPv4 nor IPv6", one(s))
            .send(syn.patch(12, &[0x08, 0x06]))
            .passes(),
    ]
}

/// Every length that is too short: the frame cut, and a shorter packet altogether.
fn transport(s: &Side) -> Vec<Case> {
    let packets = [
        ("TCP", s.tcp(), s.packet().syn().payload(8)),
        ("UDP", s.udp(), s.datagram()),
    ];
    let mut cases = Vec::new();
    for (name, world, packet) in packets {
        let world = world.server(s.a.by_direct());
        cases.extend(truncated(
            &format!("{name} cut at every byte"),
            world.clone(),
            &packet,
        ));
        let (segment, protocol) = (packet.ip.transport(), if name == "TCP" { 6 } else { 17 });
        let mut short = case(format!("{name} without all of its header"), world);
        for len in 0..if name == "TCP" { 20 } else { 8 } {
            let packet = packet.clone().raw(protocol, segment[..len].to_vec());
            short = short.send(packet).dropped(counter::TRUNCATED);
        }
        cases.push(short);
    }
    let l4 = s.l4();
    let syn = s.packet().syn();
    cases.extend([
        case("TCP header of 16 bytes", one(s))
            .send(syn.clone().patch(l4 + 12, &[0x40]))
            .dropped(counter::MALFORMED),
        case("TCP header longer than the packet", one(s))
            .send(syn.clone().patch(l4 + 12, &[0x80]))
            .dropped(counter::MALFORMED),
        case("UDP length of 7 bytes", s.udp().server(s.a.by_direct()))
            .send(s.datagram().patch(l4 + 4, &[0, 7]))
            .dropped(counter::MALFORMED),
        case(
            "a frame in several pieces",
            one(s).scheduler(ssi_api::lvs::Scheduler::Sh),
        )
        .send(s.packet().payload(8000))
        .direct(&s.a)
        .only(Entry::Xdp),
    ]);
    cases
}

fn truncated(name: &str, world: World, packet: &Packet) -> [Case; 2] {
    let by = |entry, from| {
        let mut case = case(name, world.clone()).only(entry);
        for len in from..packet.bytes().len() {
            case = case
                .send(packet.clone().cut(len))
                .dropped(counter::TRUNCATED);
        }
        case
    };
    // For tc, a test run refuses frames that end within the fixed IP header.
    let header = if packet.ip.source.is_ipv4() { 20 } else { 40 };
    [by(Entry::Xdp, L3), by(Entry::Tc, L3 + header)]
}

fn ipv4(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let bad = |name, offset, bytes: &[u8], reason| {
        case(name, one(s))
            .send(syn.clone().patch(L3 + offset, bytes))
            .dropped(reason)
    };
    let options = |bytes| {
        case(format!("{bytes} bytes of options"), one(s))
            .send(syn.clone().options(bytes))
            .direct(&s.a)
    };
    let mut cases = vec![
        options(4),
        options(12),
        options(40),
        bad("version 5", 0, &[0x55], counter::MALFORMED),
        bad("header of 16 bytes", 0, &[0x44], counter::MALFORMED),
        bad(
            "header of 60 bytes in a packet of 48",
            0,
            &[0x4f],
            counter::MALFORMED,
        ),
        bad("shorter than its header", 2, &[0, 19], counter::MALFORMED),
        bad("longer than the frame", 2, &[0, 49], counter::TRUNCATED),
        case("a short frame to nobody we know", one(s))
            .send(Packet::new(s.client, s.nobody).tcp(1, 2).cut(L3 + 19))
            .dropped(counter::TRUNCATED)
            .only(Entry::Xdp),
    ];
    let options = syn.clone().options(40);
    cases.extend(truncated("options cut at every byte", one(s), &options));
    cases
}

fn ipv6(s: &Side) -> Vec<Case> {
    use Extension::{Authentication, Fragment, Options};
    let chain = |extensions: &[Extension]| {
        extensions
            .iter()
            .cloned()
            .fold(s.packet().syn(), Packet::extension)
    };
    let follows =
        |name, extensions: &[Extension]| case(name, one(s)).send(chain(extensions)).direct(&s.a);
    let all = [
        Options(0, 1),
        Options(60, 2),
        Options(43, 3),
        Authentication(6),
    ];
    let mut cases = vec![
        follows("hop-by-hop options", &[Options(0, 1)]),
        follows("a routing header", &[Options(43, 3)]),
        follows("destination options", &[Options(60, 4)]),
        follows("an authentication header", &[Authentication(6)]),
        follows(
            "a fragment header of all the packet",
            &[Fragment(0, false, 5)],
        ),
        follows("four different extension headers", &all),
        follows("six extension headers", &[const { Options(60, 1) }; 6]),
        case("seven extension headers", one(s))
            .send(chain(&[const { Options(60, 1) }; 7]))
            .dropped(counter::HEADERS),
        case("an extension header of 512 bytes", one(s))
            .send(chain(&[Options(60, 64)]))
            .dropped(counter::HEADERS),
        case("no next header", one(s))
            .send(Packet::new(s.client, s.vip).raw(59, pattern(16)))
            .passes(),
        case("encrypted", one(s))
            .send(Packet::new(s.client, s.vip).raw(50, pattern(16)))
            .passes(),
        case("version 5", one(s))
            .send(s.packet().syn().patch(L3, &[0x50]))
            .dropped(counter::MALFORMED),
        case("longer than the frame", one(s))
            .send(s.packet().syn().patch(L3 + 4, &[0, 29]))
            .dropped(counter::TRUNCATED),
        case("an extension header beyond the end", one(s))
            .send(Packet::new(s.client, s.vip).raw(60, vec![6, 9, 0, 0, 0, 0, 0, 0]))
            .dropped(counter::TRUNCATED),
    ];
    cases.extend(truncated(
        "extension headers cut at every byte",
        one(s),
        &chain(&all),
    ));
    cases
}

/// Addresses that share their word of the filter with a virtual address.
fn collisions(s: &Side) -> Vec<Case> {
    const BITS: u32 = filter::VIRTUAL | filter::CONNS | filter::DIRECTED;
    let collide = |name| case(name, one(s)).then(Change::FilterBits(s.nobody, BITS));
    let to = Packet::new(s.client, s.nobody);
    let whole = |name, packet: Packet| {
        let [first, second] = &packet.fragments(64)[..] else {
            panic!("two fragments");
        };
        collide(name)
            .send(first.clone())
            .passes()
            .send(second.clone())
            .passes()
    };
    vec![
        collide("an address with a virtual one's hash")
            .send(to.clone().tcp(1, 2).syn())
            .passes(),
        whole("fragments to it, UDP", to.clone().udp(1, 2).payload(80)),
        whole("fragments to it, echo", to.clone().echo().payload(80)),
        whole(
            "fragments to it, another protocol",
            to.raw(47, pattern(100)),
        ),
    ]
}
