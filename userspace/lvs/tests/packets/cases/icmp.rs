//! ICMP errors go to the server whose flow they are about.

use ssi_abi::counter;
use ssi_api::lvs::Scheduler;

use super::nat::answer;
use super::*;
use crate::builder::{Body, Extension, pattern};
use crate::case::{Case, Entry, case};
use crate::topology::{CLIENT_MAC, OUTSIDE_MAC};

/// Port of the NAT server.
const OWN: u16 = 8080;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = forwarded(s);
    cases.extend(unrelated(s));
    cases.extend(translated(s));
    cases.extend(outbound(s));
    cases.extend(by_table(s));
    cases
}

/// "Too big" or "fragmentation needed" from a router, about a packet.
fn error(s: &Side, about: &Packet, bytes: usize) -> Packet {
    let (kind, code) = if s.v4 { (3, 4) } else { (2, 0) };
    Packet::new(s.nobody, about.ip.source)
        .icmp(kind, code, [0, 0, 5, 0])
        .quoting(about, bytes)
}

/// What the server sent: a data packet from the virtual address to the client.
fn data(s: &Side) -> Packet {
    s.packet().reversed().payload(1400)
}

/// The quoted part that routers must give: header and 8 bytes.
fn least(s: &Side) -> usize {
    if s.v4 { 28 } else { 48 }
}

fn forwarded(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let direct = |name| {
        case(name, s.tcp().server(s.a.by_direct()))
            .send(syn.clone())
            .direct(&s.a)
    };
    let about = error(s, &data(s), 500);
    let kinds: &[(u8, u8)] = if s.v4 {
        &[(3, 1), (4, 0), (11, 0), (12, 0)]
    } else {
        &[(1, 0), (3, 0), (4, 1)]
    };
    let size = |packet: &Packet| packet.size();
    vec![
        direct("an error follows its flow")
            .send(about.clone())
            .direct(&s.a)
            .counts(counter::ICMP_RELATED)
            .check(crate::case::Check::Stats(
                s.a,
                [1, 2, size(&syn) + size(&about), 0, 0],
            )),
        direct("of the quoted packet, ports are enough")
            .send(error(s, &data(s), least(s)))
            .direct(&s.a)
            .counts(counter::ICMP_RELATED),
        direct("every kind of error").with(|mut case| {
            for (kind, code) in kinds {
                let packet = Packet::new(s.nobody, s.vip)
                    .icmp(*kind, *code, [0; 4])
                    .quoting(&data(s), 100);
                case = case.send(packet).direct(&s.a).counts(counter::ICMP_RELATED);
            }
            case
        }),
        direct("no hop left").with(|case| {
            let mut case = case.send(about.clone().hops(1)).dropped(counter::TTL);
            case = case.counts(counter::ICMP_RELATED);
            case
        }),
        case("over a UDP flow", s.udp().server(s.a.by_direct()))
            .send(s.datagram())
            .direct(&s.a)
            .send(error(s, &s.datagram().reversed(), 100))
            .direct(&s.a)
            .counts(counter::ICMP_RELATED),
        case("by tunnel", s.tcp().server(s.a.by_tunnel()))
            .send(syn.clone())
            .tunnel(&s.a)
            .send(about.clone())
            .tunnel(&s.a)
            .counts(counter::ICMP_RELATED),
        case("to a local server", s.tcp().server(s.a.by_direct().local()))
            .send(syn.clone())
            .passes()
            .send(about.clone())
            .passes()
            .counts(counter::ICMP_RELATED),
        case(
            "an error too big for the tunnel is not answered by an error",
            s.tcp().server(s.a.by_tunnel().mtu(576)),
        )
        .send(syn.clone())
        .tunnel(&s.a)
        .send(about.payload_of(&data(s), 560))
        .dropped(counter::TOO_BIG_DROPPED)
        .counts(counter::ICMP_RELATED),
    ]
}

impl Packet {
    /// The same error, quoting so many bytes of a packet.
    fn payload_of(self, about: &Self, bytes: usize) -> Self {
        self.quoting(about, bytes)
    }
}

fn unrelated(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let direct = |name| {
        case(name, s.tcp().server(s.a.by_direct()))
            .send(syn.clone())
            .direct(&s.a)
    };
    let stranger = data(s)
        .sourced(s.vip, PORT)
        .destined(s.other_client, CLIENT);
    let mut quoted_fragment = data(s);
    let other = Packet::new(s.vip, s.client).raw(47, pattern(100));
    let mut cases = vec![
        direct("about a flow that is none of ours")
            .send(error(s, &stranger, 100))
            .passes(),
        direct("about another protocol")
            .send(error(s, &other, 100))
            .passes(),
        direct("echo reply").with(|case| {
            let kind = if s.v4 { 0 } else { 129 };
            case.send(
                Packet::new(s.client, s.vip)
                    .icmp(kind, 0, [0; 4])
                    .payload(64),
            )
            .passes()
        }),
        direct("quoting less than the ports, at every byte").with(|mut case| {
            for bytes in 0..least(s) - 4 {
                case = case.send(error(s, &data(s), bytes)).passes();
            }
            case
        }),
    ];
    if s.v4 {
        quoted_fragment.ip.fragment = (false, 1480);
        cases.extend([
            direct("quoting a later fragment, which has no ports")
                .send(error(s, &quoted_fragment, 100))
                .passes(),
            direct("quoting a packet with options")
                .send(error(s, &data(s).options(24), 100))
                .direct(&s.a)
                .counts(counter::ICMP_RELATED),
            direct("quoting a header of 16 bytes").with(|case| {
                let mut packet = error(s, &data(s), 100);
                let Body::Icmp(icmp) = &mut packet.ip.body else {
                    unreachable!("it is ICMP")
                };
                icmp.body[0] = 0x44;
                case.send(packet).passes()
            }),
        ]);
    } else {
        // The quoted ports lie beyond what is looked at.
        let long = error(s, &data(s), 100).extension(Extension::Options(60, 51));
        cases.push(direct("behind many bytes of options").send(long).passes());
    }
    cases
}

/// To NAT servers, which are to see their own address.
fn translated(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let opened = |name, world: World| case(name, world).send(syn.clone());
    let world = || s.tcp().server(s.a.by_nat().port(OWN));
    // As the server sent it, but for the transport checksum, which is for the virtual
    // address still.
    let theirs = |bytes| {
        let sent = data(s);
        let frame = sent.ip.transport();
        let original = data(s).sourced(s.a.addr, OWN);
        let original = original.checksum(u16::from_be_bytes([frame[16], frame[17]]));
        error(s, &data(s), 0)
            .quoting(&original, bytes)
            .destined(s.a.addr, 0)
            .direct(&s.a)
    };
    vec![
        opened("NAT: the server sees its own address", world())
            .nat(&s.a, OWN)
            .send(error(s, &data(s), 500))
            .goes(theirs(500))
            .counts(counter::ICMP_RELATED),
        opened("NAT: of the quoted packet, ports are enough", world())
            .nat(&s.a, OWN)
            .send(error(s, &data(s), least(s)))
            .goes(theirs(least(s)))
            .counts(counter::ICMP_RELATED),
        opened("NAT: an odd number of quoted bytes", world())
            .nat(&s.a, OWN)
            .send(error(s, &data(s), 101))
            .goes(theirs(101))
            .counts(counter::ICMP_RELATED),
        opened("NAT: no hop left", world())
            .nat(&s.a, OWN)
            .send(error(s, &data(s), 100).hops(1))
            .dropped(counter::TTL)
            .counts(counter::ICMP_RELATED),
        opened(
            "NAT: to a local server",
            s.tcp().server(s.a.by_nat().port(OWN).local()),
        )
        .passes_as(syn.clone().destined(s.a.addr, OWN))
        .send(error(s, &data(s), 100))
        .passes_as({
            let mut packet = theirs(100).macs(OUTSIDE_MAC, CLIENT_MAC);
            packet.ip.hops += 1;
            packet
        })
        .counts(counter::ICMP_RELATED),
    ]
}

/// Errors of NAT servers to clients, about the virtual address.
fn outbound(s: &Side) -> Vec<Case> {
    let syn = s.packet().syn();
    let world = || s.tcp().server(s.a.by_nat().port(OWN));
    let opened = |name| case(name, world()).send(syn.clone()).nat(&s.a, OWN);
    // The server refuses a packet it got, which it quotes.
    let got = s.packet().payload(40).destined(s.a.addr, OWN);
    let kind = if s.v4 { 3 } else { 1 };
    let refused = Packet::new(s.a.addr, s.client)
        .macs(crate::topology::INSIDE_MAC, s.a.mac)
        .icmp(kind, 1, [0; 4])
        .quoting(&got, 200);
    let bytes = got.ip.transport();
    let quoted = got
        .clone()
        .destined(s.vip, PORT)
        .checksum(u16::from_be_bytes([bytes[16], bytes[17]]));
    let seen = refused
        .clone()
        .quoting(&quoted, 200)
        .sourced(s.vip, 0)
        .hop()
        .macs(CLIENT_MAC, OUTSIDE_MAC);
    let alien = got.clone().sourced(s.other_client, CLIENT);
    vec![
        opened("a NAT server's error speaks of the virtual address")
            .send_inside(refused.clone())
            .goes(seen)
            .counts(counter::ICMP_RELATED),
        opened("a NAT server's error about another flow")
            .send_inside(refused.clone().quoting(&alien, 200))
            .passes(),
        opened("a NAT server's echo")
            .send_inside(Packet::new(s.a.addr, s.client).echo())
            .passes(),
        opened("an error that a packet of its own claims to be")
            .send_inside(answer(&syn, &s.b, OWN))
            .passes(),
    ]
}

/// Flows that nobody remembers, but the table tells their server.
fn by_table(s: &Side) -> Vec<Case> {
    let about = error(s, &data(s), 100);
    let one = |scheduler| s.tcp().scheduler(scheduler).server(s.a.by_direct());
    let known = |name, scheduler| {
        case(name, one(scheduler))
            .send(about.clone())
            .direct(&s.a)
            .counts(counter::ICMP_RELATED)
    };
    vec![
        known("an unknown flow, by slot", Scheduler::Slot),
        known("an unknown flow, by hash", Scheduler::Sh),
        case("an unknown flow, by turns", one(Scheduler::Rr))
            .send(about.clone())
            .passes(),
        case(
            "not the director",
            one(Scheduler::Slot).directed_elsewhere(),
        )
        .send(about.clone())
        .passes(),
        case("in several pieces", one(Scheduler::Slot))
            .send(error(s, &data(s).payload(6000), 6000))
            .direct(&s.a)
            .counts(counter::ICMP_RELATED)
            .only(Entry::Xdp),
    ]
}
