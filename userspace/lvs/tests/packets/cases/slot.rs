//! The agreed slot table: current and previous owners, and the second chance.

use ssi_abi::conn::state;
use ssi_abi::{counter, hash, table};
use ssi_api::lvs::{ServerName, ServiceFlags};
use ssi_lvs::core::schedule::{Member, slot::SlotTable};

use super::schedule::syn;
use super::*;
use crate::bench::SEED;
use crate::builder::Body;
use crate::case::{Case, Change, Check, case};
use crate::topology::{INSIDE_MAC, Real};
use crate::world::ServerDef;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = settled(s);
    cases.extend(moved(s));
    cases.extend(director_is_server(s));
    cases.extend(as_server(s));
    cases
}

/// The owner of a flow's slot, with these servers added in this order at once.
pub fn owner(s: &Side, servers: &[Real], packet: &Packet) -> Real {
    let (Body::Tcp(builder::Tcp {
        source,
        destination,
        ..
    })
    | Body::Udp(builder::Udp {
        source,
        destination,
        ..
    })) = &packet.ip.body
    else {
        panic!("no flow");
    };
    let member = |(index, server): (u16, &Real)| Member {
        index,
        weight: 1,
        name: ServerName {
            addr: server.addr,
            port: PORT,
        },
    };
    let mut slots = SlotTable::default();
    slots.assign(&(1..).zip(servers).map(member).collect::<Vec<_>>());
    let ports = u32::from(source.to_be()) | u32::from(destination.to_be()) << 16;
    let protocol = packet.ip.body.protocol(s.v4);
    let (from, to) = (packet.ip.source.into(), packet.ip.destination.into());
    let slot = hash::flow(SEED, &from, &to, ports, protocol) % table::SLOTS;
    servers[usize::from(table::current(slots.entries()[slot as usize])) - 1]
}

fn settled(s: &Side) -> Vec<Case> {
    let one = || s.tcp().slot().server(s.a.by_direct());
    let three = [s.a, s.b, s.c];
    let all = || {
        three.into_iter().fold(s.tcp().slot(), |world, server| {
            world.server(server.by_direct())
        })
    };
    let sizes = [syn(s, 0).size(), s.packet().size()];
    vec![
        case("nothing is remembered", one())
            .send(syn(s, 0))
            .direct(&s.a)
            .send(s.packet())
            .direct(&s.a)
            .check(Check::Remembered(0))
            .check(Check::Stats(s.a, [1, 2, sizes[0] + sizes[1], 0, 0])),
        case("unless it shall be", {
            one().flags(ServiceFlags {
                track: true,
                ..ServiceFlags::default()
            })
        })
        .send(syn(s, 0))
        .direct(&s.a)
        .check(Check::Known(s.packet(), s.a, state::SYN)),
        case("NAT needs to remember", s.tcp().slot().server(s.a.by_nat()))
            .send(syn(s, 0))
            .nat(&s.a, PORT)
            .check(Check::Known(s.packet(), s.a, state::SYN))
            .check(Check::Remembered(2)),
        case("every flow to its slot's owner", all()).with(|mut case| {
            for n in 0..40 {
                let packet = syn(s, n);
                let owner = owner(s, &three, &packet);
                case = case.send(packet.clone()).direct(&owner);
                case = case.send(packet.flags(builder::ACK)).direct(&owner);
            }
            case
        }),
        case(
            "UDP",
            s.udp()
                .slot()
                .server(s.a.by_direct())
                .server(s.b.by_direct()),
        )
        .with(|mut case| {
            for n in 0..10 {
                let packet = Packet::new(s.client, s.vip).udp(CLIENT + n, PORT);
                let owner = owner(s, &[s.a, s.b], &packet);
                case = case.send(packet).direct(&owner);
            }
            case
        }),
    ]
}

/// Every slot was `before`'s and is `after`'s now.
fn handed(name: &str, s: &Side, before: ServerDef, after: ServerDef) -> Case {
    case(name, s.tcp().slot().server(before))
        .then(Change::Add(after))
        .then(Change::Weight(before.real, 0))
}

fn moved(s: &Side) -> Vec<Case> {
    let (a, b) = (s.a.by_direct(), s.b.by_direct());
    let p = s.packet();
    vec![
        handed(
            "new connections go to the current owner, and are remembered",
            s,
            a,
            b,
        )
        .send(syn(s, 0))
        .direct(&s.b)
        .check(Check::Known(p.clone(), s.b, state::SYN))
        .send(p.clone())
        .direct(&s.b)
        .check(Check::Known(p.clone(), s.b, state::ESTABLISHED)),
        handed(
            "older ones to the previous owner, if the current one can't tell",
            s,
            a,
            b,
        )
        .send(p.clone())
        .direct(&s.a)
        .send(p.clone().fin())
        .direct(&s.a)
        .send(p.clone().rst())
        .direct(&s.a)
        .check(Check::Remembered(0)),
        handed(
            "older ones to the current owner, which passes them on",
            s,
            a,
            b.node(),
        )
        .send(p.clone())
        .direct(&s.b),
        handed("older ones when the previous owner is down", s, a, b)
            .then(Change::Down(s.a))
            .send(p.clone())
            .direct(&s.b),
        handed("older ones when the previous owner was removed", s, a, b)
            .then(Change::Remove(s.a))
            .send(p.clone())
            .direct(&s.b),
        handed("all are drained: only older ones, of both owners", s, a, b)
            .send(syn(s, 1))
            .direct(&s.b)
            .then(Change::Weight(s.b, 0))
            .send(syn(s, 0))
            .dropped(counter::NO_SERVER)
            .send(p.clone())
            .direct(&s.a)
            .send(syn(s, 1).flags(builder::ACK))
            .direct(&s.b),
        handed("all are drained, and a third takes connections", s, a, b)
            .then(Change::Weight(s.b, 0))
            .then(Change::Add(s.c.by_direct()))
            .send(syn(s, 0))
            .direct(&s.c)
            .send(syn(s, 1).flags(builder::ACK))
            .direct(&s.b),
        case("UDP while all are drained", s.udp().slot().server(a))
            .then(Change::Weight(s.a, 0))
            .send(s.datagram())
            .dropped(counter::NO_SERVER),
        handed("by tunnel", s, s.a.by_tunnel(), s.b.by_tunnel())
            .send(syn(s, 0))
            .tunnel(&s.b)
            .send(p.clone().sourced(s.other_client, CLIENT))
            .tunnel(&s.a),
        case("UDP goes to the current owner", s.udp().slot().server(a))
            .send(s.datagram())
            .direct(&s.a)
            .then(Change::Add(b))
            .then(Change::Weight(s.a, 0))
            .send(s.datagram())
            .direct(&s.b),
    ]
}

/// This node directs, and is one of the two owners.
fn director_is_server(s: &Side) -> Vec<Case> {
    let ours = s.packet().sourced(s.insider, CLIENT);
    let connect = Change::Connect(s.insider, CLIENT, s.vip, PORT);
    let (a, b) = (s.a.by_direct(), s.b.by_direct());
    let mut cases = vec![
        handed("we are current, and have the connection", s, a, b.local())
            .then(connect)
            .send(ours.clone())
            .passes()
            .check(Check::Known(ours.clone(), s.b, state::ESTABLISHED)),
        handed("we are current, and don't have it", s, a, b.local())
            .send(ours.clone())
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        handed("we are current, and only listen", s, a, b.local())
            .then(Change::Listen(s.vip, PORT))
            .send(ours.clone())
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        handed("we are current: a new one is ours", s, a, b.local())
            .send(syn(s, 0))
            .passes()
            .check(Check::Known(s.packet(), s.b, state::SYN)),
        handed(
            "we were previous, and have the connection",
            s,
            a.local(),
            b.node(),
        )
        .then(Change::Connect(s.insider, CLIENT, s.vip, PORT))
        .send(ours.clone())
        .passes()
        .check(Check::Known(ours.clone(), s.a, state::ESTABLISHED))
        .then(Change::Add(s.c.by_direct().node()))
        .then(Change::Weight(s.b, 0))
        .send(ours.clone())
        .passes(),
        handed(
            "we were previous, and don't have it",
            s,
            a.local(),
            b.node(),
        )
        .send(ours.clone())
        .direct(&s.b),
        handed(
            "we were previous, and the current owner sent it back",
            s,
            a.local(),
            b.node(),
        )
        .send_inside(ours.clone().macs(INSIDE_MAC, s.b.mac))
        .passes(),
    ];
    cases.push(
        handed(
            "we were previous, and the current owner can't tell",
            s,
            a.local(),
            b,
        )
        .send(ours)
        .passes(),
    );
    cases
}

/// Another node directs, and sent us the packet.
fn as_server(s: &Side) -> Vec<Case> {
    let elsewhere = |name: &str, before: ServerDef, after: ServerDef| {
        case(
            name,
            s.tcp()
                .slot()
                .directed_elsewhere()
                .server(before)
                .service(udp(s.vip, PORT)),
        )
        .then(Change::Add(after))
        .then(Change::Weight(before.real, 0))
    };
    let ours = s.packet().sourced(s.insider, CLIENT);
    let (a, b) = (s.a.by_direct().node(), s.b.by_direct().node());
    let current = |name| elsewhere(name, a, b.local());
    let tunnelled = |name| {
        let world = s
            .tcp()
            .slot()
            .directed_elsewhere()
            .peer(s.c.addr)
            .server(s.a.by_tunnel());
        case(name, world)
            .then(Change::Add(s.b.by_tunnel().local()))
            .then(Change::Weight(s.a, 0))
    };
    let wrapped = |inner: &Packet| {
        Packet::new(s.c.addr, s.own)
            .macs(INSIDE_MAC, s.c.mac)
            .carrying(inner)
    };
    vec![
        current("a new connection").send(syn(s, 0)).passes(),
        current("a connection that we have")
            .then(Change::Connect(s.insider, CLIENT, s.vip, PORT))
            .send(ours.clone())
            .passes(),
        current("a connection that we don't have: its second chance")
            .send(ours.clone())
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        current("we only listen: its second chance")
            .then(Change::Listen(s.vip, PORT))
            .send(ours.clone())
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        current("a second chance too far")
            .send(ours.clone().hops(1))
            .dropped(counter::TTL)
            .counts(counter::SECOND_CHANCE),
        current("UDP has no second chance")
            .send(s.datagram())
            .passes(),
        elsewhere(
            "neither owner is this node: the director knows more, or less",
            a,
            b,
        )
        .send(ours.clone())
        .direct(&s.b)
        .counts(counter::SECOND_CHANCE),
        elsewhere("neither owner is this node, but we have it", a, b)
            .then(Change::Connect(s.insider, CLIENT, s.vip, PORT))
            .send(ours.clone())
            .passes(),
        elsewhere(
            "we were previous, and the director does not know yet",
            a.local(),
            b,
        )
        .send(ours.clone())
        .direct(&s.b)
        .counts(counter::SECOND_CHANCE),
        elsewhere(
            "we were previous, and the current owner sent it: the end of it",
            a.local(),
            b,
        )
        .send_inside(ours.clone().macs(INSIDE_MAC, s.b.mac))
        .passes(),
        current("the previous owner sent it to us: the end of it")
            .send_inside(ours.clone().macs(INSIDE_MAC, s.a.mac))
            .passes(),
        case("the slot never moved", {
            s.tcp().slot().directed_elsewhere().server(b.local())
        })
        .send(ours.clone())
        .passes(),
        tunnelled("out of one tunnel into another")
            .send_inside(wrapped(&ours))
            .comes_back(ours.clone().tunnel(&s.a))
            .counts(counter::DECAPSULATED)
            .counts(counter::SECOND_CHANCE),
        tunnelled("a new connection out of a tunnel")
            .send_inside(wrapped(&syn(s, 0)))
            .passes_as(syn(s, 0).macs(INSIDE_MAC, s.c.mac))
            .counts(counter::DECAPSULATED),
    ]
}
