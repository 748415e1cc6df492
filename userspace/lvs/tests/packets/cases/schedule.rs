//! Which server gets a new connection.

use std::net::IpAddr;

use ssi_abi::{counter, hash};
use ssi_api::lvs::{PortRange, Protocol, Scheduler, ServerName, ServiceFlags};
use ssi_lvs::core::schedule::{Member, plan};

use super::*;
use crate::bench::SEED;
use crate::case::{Case, Change, Check, case};
use crate::topology::Real;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = turns(s);
    cases.extend(least(s));
    cases.extend(hashed(s));
    cases.extend(not_taking(s));
    cases.extend(ports(s));
    cases.extend(one_packet(s));
    cases
}

/// The n-th new connection of a client.
pub fn syn(s: &Side, n: u16) -> Packet {
    Packet::new(s.client, s.vip).tcp(CLIENT + n, PORT).syn()
}

/// New connections one after the other, from the n-th on, and where they go.
fn go(mut case: Case, s: &Side, from: u16, servers: &[Real]) -> Case {
    for (n, server) in (from..).zip(servers) {
        case = case.send(syn(s, n)).direct(server);
    }
    case
}

fn three(s: &Side, scheduler: Scheduler, weights: [u32; 3]) -> World {
    let [a, b, c] = weights;
    s.tcp()
        .scheduler(scheduler)
        .server(s.a.by_direct().weight(a))
        .server(s.b.by_direct().weight(b))
        .server(s.c.by_direct().weight(c))
}

fn turns(s: &Side) -> Vec<Case> {
    let (a, b, c) = (s.a, s.b, s.c);
    let named = |name, scheduler, weights| case(name, three(s, scheduler, weights));
    vec![
        go(
            named(
                "rr: in turn, whatever the weights",
                Scheduler::Rr,
                [3, 1, 1],
            ),
            s,
            0,
            &[a, b, c, a, b, c],
        ),
        go(
            named("rr: not to a drained one", Scheduler::Rr, [1, 0, 1]),
            s,
            0,
            &[a, c, a, c],
        ),
        go(
            named(
                "wrr: as often as the weight says",
                Scheduler::Wrr,
                [3, 1, 0],
            ),
            s,
            0,
            &[a, a, a, b, a, a, a, b],
        ),
        go(
            named("rr: a weight changes", Scheduler::Rr, [1, 1, 1]),
            s,
            0,
            &[a, b, c],
        )
        .then(Change::Weight(a, 0))
        .with(|case| go(case, s, 3, &[c, b, c])),
        named(
            "rr: a connection stays where it is",
            Scheduler::Rr,
            [1, 1, 1],
        )
        .send(syn(s, 0))
        .direct(&a)
        .send(syn(s, 0))
        .direct(&a)
        .send(s.packet())
        .direct(&a)
        .send(syn(s, 1))
        .direct(&b),
        named("rr: nobody takes connections", Scheduler::Rr, [0, 0, 0])
            .send(syn(s, 0))
            .dropped(counter::NO_SERVER),
    ]
}

fn least(s: &Side) -> Vec<Case> {
    let (a, b, c) = (s.a, s.b, s.c);
    let loaded = |name, scheduler, weights, loads: [(i32, i32); 3]| {
        [a, b, c].into_iter().zip(loads).fold(
            case(name, three(s, scheduler, weights)),
            |case, (server, (active, inactive))| case.then(Change::Load(server, active, inactive)),
        )
    };
    let same = [(0, 0); 3];
    vec![
        go(
            loaded(
                "lc: the fewest connections",
                Scheduler::Lc,
                [1, 1, 1],
                [(2, 0), (1, 5), (1, 4)],
            ),
            s,
            0,
            // c, then b and c have the same and the first of them gets it.
            &[c, b, c],
        ),
        go(
            loaded(
                "lc: each in turn when all end alike",
                Scheduler::Lc,
                [1, 9, 1],
                same,
            ),
            s,
            0,
            &[a, b, c, a],
        ),
        go(
            loaded(
                "lc: an established one weighs 256 others",
                Scheduler::Lc,
                [1, 1, 0],
                [(1, 0), (0, 255), (0, 0)],
            ),
            s,
            0,
            &[b, a, b],
        ),
        go(
            loaded(
                "wlc: the fewest for its weight",
                Scheduler::Wlc,
                [3, 1, 1],
                [(2, 0), (1, 0), (1, 0)],
            ),
            s,
            0,
            &[a],
        ),
        go(
            loaded(
                "wlc: as many as the weight says",
                Scheduler::Wlc,
                [2, 1, 0],
                same,
            ),
            s,
            0,
            &[a, b, a, a, b, a],
        ),
        go(
            loaded("wlc: not to a drained one", Scheduler::Wlc, [0, 1, 0], same),
            s,
            0,
            &[b, b],
        ),
        loaded(
            "lc: nobody takes connections",
            Scheduler::Lc,
            [0, 0, 0],
            same,
        )
        .send(syn(s, 0))
        .dropped(counter::NO_SERVER),
    ]
}

/// The server of a client by hash, as everybody must find it.
fn chosen(s: &Side, scheduler: Scheduler, weights: [u32; 3], client: IpAddr, port: u16) -> Real {
    let servers = [s.a, s.b, s.c];
    let member = |(index, (server, weight)): (u16, (Real, u32))| Member {
        index,
        weight,
        name: ServerName {
            addr: server.addr,
            port: PORT,
        },
    };
    let members: Vec<_> = (1..)
        .zip(servers.into_iter().zip(weights))
        .map(member)
        .collect();
    let table = plan(scheduler, &members, SEED);
    let at = hash::client(SEED, &client.into(), port.to_be()) as usize % table.len();
    servers[table[at] as usize - 1]
}

fn hashed(s: &Side) -> Vec<Case> {
    let mut cases = Vec::new();
    for scheduler in [Scheduler::Sh, Scheduler::Mh] {
        let weights = [2, 1, 1];
        let world = || three(s, scheduler, weights);
        let by_port = || {
            world().flags(ServiceFlags {
                port: true,
                ..ServiceFlags::default()
            })
        };
        let one = chosen(s, scheduler, weights, s.client, 0);
        cases.push(go(
            case(format!("{scheduler}: by client"), world()),
            s,
            0,
            &[one; 3],
        ));
        let other = chosen(s, scheduler, weights, s.other_client, 0);
        cases.push(
            case(format!("{scheduler}: another client"), world())
                .send(syn(s, 0).sourced(s.other_client, CLIENT))
                .direct(&other),
        );
        let each: Vec<_> = (0..8)
            .map(|n| chosen(s, scheduler, weights, s.client, CLIENT + n))
            .collect();
        assert!(
            each.iter().any(|server| *server != each[0]),
            "{scheduler}: all to one"
        );
        cases.push(go(
            case(format!("{scheduler}: by client and port"), by_port()),
            s,
            0,
            &each,
        ));
        let drained = [0, 1, 0];
        cases.push(go(
            case(
                format!("{scheduler}: not to a drained one"),
                three(s, scheduler, drained),
            ),
            s,
            0,
            &[s.b, s.b],
        ));
        cases.push(
            case(format!("{scheduler}: also what was open before"), world())
                .send(s.packet())
                .direct(&one)
                .check(Check::Known(
                    s.packet(),
                    one,
                    ssi_abi::conn::state::ESTABLISHED,
                )),
        );
    }
    cases
}

/// Servers that take no connections for now.
fn not_taking(s: &Side) -> Vec<Case> {
    let (a, b, c) = (s.a, s.b, s.c);
    let all = [1, 1, 1];
    let mut cases = vec![
        go(
            case(
                "rr: an overloaded one is left out",
                three(s, Scheduler::Rr, all),
            )
            .then(Change::Overload(a)),
            s,
            0,
            &[b, c, b, c],
        ),
        go(
            case(
                "rr: one that is down is left out",
                three(s, Scheduler::Rr, all),
            )
            .then(Change::Down(b)),
            s,
            0,
            &[a, c, a, c],
        ),
        go(
            case(
                "lc: an overloaded one is left out",
                three(s, Scheduler::Lc, all),
            )
            .then(Change::Overload(a)),
            s,
            0,
            &[b, c],
        ),
    ];
    for scheduler in Scheduler::ALL {
        for (what, change) in [
            (
                "overloaded",
                (|real| Change::Overload(real)) as fn(Real) -> Change,
            ),
            ("down", |real| Change::Down(real)),
        ] {
            cases.push(
                case(format!("{scheduler}: the only one is {what}"), {
                    s.tcp().scheduler(scheduler).server(a.by_direct())
                })
                .then(change(a))
                .send(syn(s, 0))
                .dropped(counter::NO_SERVER),
            );
        }
    }
    let sh = |fallback| {
        three(s, Scheduler::Sh, all).flags(ServiceFlags {
            fallback,
            ..ServiceFlags::default()
        })
    };
    let one = chosen(s, Scheduler::Sh, all, s.client, 0);
    let next = sh_next(s, all);
    cases.push(
        case("sh: the hashed one is overloaded", sh(false))
            .then(Change::Overload(one))
            .send(syn(s, 0))
            .dropped(counter::NO_SERVER),
    );
    cases.push(go(
        case(
            "sh: the hashed one is overloaded, the next one helps",
            sh(true),
        )
        .then(Change::Overload(one)),
        s,
        0,
        &[next],
    ));
    cases
}

/// The next one in sh's table that is not the client's.
fn sh_next(s: &Side, weights: [u32; 3]) -> Real {
    let one = chosen(s, Scheduler::Sh, weights, s.client, 0);
    let servers = [s.a, s.b, s.c];
    // The table of sh is its servers in turn.
    let at = servers
        .iter()
        .position(|server| *server == one)
        .expect("one of them");
    servers[(at + 1) % 3]
}

fn ports(s: &Side) -> Vec<Case> {
    let member = |protocol, addr, first, last| PortRange {
        protocol,
        addr,
        first,
        last,
    };
    let to = |addr, port| Packet::new(s.client, addr).tcp(CLIENT, port).syn();
    let group = World::default()
        .group(
            7,
            &[
                member(Protocol::Tcp, s.vip, 80, 82),
                member(Protocol::Tcp, s.other_vip, 443, 443),
                member(Protocol::Udp, s.vip, 53, 53),
            ],
        )
        .server(s.a.by_direct())
        .server(s.b.by_direct());
    let all = World::default()
        .service(tcp(s.vip, 0))
        .slot()
        .server(s.a.by_direct())
        .service(tcp(s.vip, 443))
        .server(s.b.by_direct());
    vec![
        case("a group of ports takes turns together", group)
            .send(to(s.vip, 80))
            .direct(&s.a)
            .send(to(s.vip, 82))
            .direct(&s.b)
            .send(to(s.other_vip, 443))
            .direct(&s.a)
            .send(Packet::new(s.client, s.vip).udp(CLIENT, 53))
            .direct(&s.b)
            .send(to(s.vip, 83))
            .passes()
            .send(to(s.other_vip, 80))
            .passes(),
        case("every port, and one with a service of its own", all)
            .send(to(s.vip, 1))
            .direct(&s.a)
            .send(to(s.vip, 65_535))
            .direct(&s.a)
            .send(to(s.vip, 443))
            .direct(&s.b)
            .send(Packet::new(s.client, s.vip).udp(CLIENT, 1))
            .passes(),
    ]
}

fn one_packet(s: &Side) -> Vec<Case> {
    let world = || s.udp().server(s.a.by_direct()).server(s.b.by_direct());
    let size = s.datagram().size();
    vec![
        case("UDP: a flow stays with its server", world())
            .send(s.datagram())
            .direct(&s.a)
            .send(s.datagram())
            .direct(&s.a)
            .check(Check::Stats(s.a, [1, 2, 2 * size, 0, 0]))
            .check(Check::Remembered(1)),
        case("UDP: every packet on its own", world().one_packet())
            .send(s.datagram())
            .direct(&s.a)
            .send(s.datagram())
            .direct(&s.b)
            .send(s.datagram())
            .direct(&s.a)
            .check(Check::Remembered(0))
            .check(Check::Stats(s.a, [2, 2, 2 * size, 0, 0])),
    ]
}
