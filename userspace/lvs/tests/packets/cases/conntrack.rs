//! What is remembered of a connection, for how long, and what becomes of it.

use ssi_abi::conn::state::{CLOSE, ESTABLISHED, FIN, IDLE, SYN};
use ssi_abi::counter;

use super::schedule::syn;
use super::*;
use crate::case::{Case, Change, Check, case};
use crate::world::Way;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = states(s);
    cases.extend(timeouts(s));
    cases.extend(openings(s));
    cases.extend(servers(s));
    cases
}

fn two(s: &Side) -> World {
    s.tcp().server(s.a.by_direct()).server(s.b.by_direct())
}

fn opened(s: &Side, name: &str) -> Case {
    case(name, two(s)).send(syn(s, 0)).direct(&s.a)
}

fn states(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let total = |packets: &[Packet]| packets.iter().map(Packet::size).sum();
    let life = [
        p.clone().syn(),
        p.clone(),
        p.clone().payload(500),
        p.clone().fin(),
        p.clone(),
    ];
    vec![
        opened(s, "SYN")
            .check(Check::Known(p.clone(), s.a, SYN))
            .check(Check::Load(s.a, 0, 1)),
        opened(s, "SYN, ACK")
            .send(p.clone())
            .direct(&s.a)
            .check(Check::Known(p.clone(), s.a, ESTABLISHED))
            .check(Check::Load(s.a, 1, 0)),
        case("from SYN to the last ACK", two(s)).with(|mut case| {
            let states = [SYN, ESTABLISHED, ESTABLISHED, FIN, FIN];
            for (packet, state) in life.iter().zip(states) {
                case = case.send(packet.clone()).direct(&s.a);
                case = case.check(Check::Known(p.clone(), s.a, state));
            }
            case.check(Check::Load(s.a, 0, 1))
                .check(Check::Stats(s.a, [1, 5, total(&life), 0, 0]))
                .check(Check::Service([1, 5, total(&life), 0, 0]))
        }),
        opened(s, "RST")
            .send(p.clone())
            .direct(&s.a)
            .send(p.clone().rst())
            .direct(&s.a)
            .check(Check::Known(p.clone(), s.a, CLOSE))
            .check(Check::Load(s.a, 0, 1))
            .send(p.clone())
            .direct(&s.a)
            .check(Check::Known(p.clone(), s.a, CLOSE)),
        opened(s, "SYN again")
            .send(syn(s, 0))
            .direct(&s.a)
            .check(Check::Load(s.a, 0, 1)),
        opened(s, "SYN within a connection")
            .send(p.clone())
            .direct(&s.a)
            .send(syn(s, 0))
            .direct(&s.a)
            .check(Check::Known(p.clone(), s.a, ESTABLISHED)),
        opened(s, "other clients' connections are told apart")
            .check(Check::Unknown(p.clone().sourced(s.other_client, CLIENT)))
            .check(Check::Unknown(p.clone().sourced(s.client, CLIENT + 1)))
            .check(Check::Unknown(p.clone().destined(s.other_vip, PORT)))
            .check(Check::Remembered(1)),
        case("UDP", s.udp().server(s.a.by_direct()))
            .send(s.datagram())
            .direct(&s.a)
            .check(Check::Known(s.datagram(), s.a, IDLE))
            .check(Check::Load(s.a, 0, 1)),
        case("a packet that is dropped for its way opens all the same", {
            s.tcp().server(s.silent.by_direct().way(Way::NoNeighbour))
        })
        .send(syn(s, 0))
        .dropped(counter::NO_NEIGHBOUR)
        .check(Check::Known(p, s.silent, SYN)),
    ]
}

/// Each state's time, less and more.
fn timeouts(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let reach: [(&str, u8, u32, Vec<Packet>); 4] = [
        ("SYN", SYN, 60, vec![]),
        ("established", ESTABLISHED, 900, vec![p.clone()]),
        ("FIN", FIN, 120, vec![p.clone(), p.clone().fin()]),
        ("closed", CLOSE, 10, vec![p.clone(), p.clone().rst()]),
    ];
    let mut cases = Vec::new();
    for (name, state, seconds, packets) in reach {
        let mut case = opened(s, &format!("{name} for {seconds} s"));
        for packet in packets {
            case = case.send(packet).direct(&s.a);
        }
        // A segment with no flags changes no state.
        let still = p.clone().flags(0);
        cases.push(
            case.then(Change::Age(seconds - 1))
                .send(still.clone())
                .direct(&s.a)
                .check(Check::Known(p.clone(), s.a, state))
                .then(Change::Age(seconds + 1))
                .send(still)
                .passes()
                .counts(counter::NO_CONNECTION)
                .check(Check::Load(s.a, 0, 0)),
        );
    }
    cases.push(
        case(
            "UDP for 300 s",
            s.udp().server(s.a.by_direct()).server(s.b.by_direct()),
        )
        .send(s.datagram())
        .direct(&s.a)
        .then(Change::Age(299))
        .send(s.datagram())
        .direct(&s.a)
        .then(Change::Age(301))
        .send(s.datagram())
        .direct(&s.b)
        .check(Check::Load(s.a, 0, 0))
        .check(Check::Load(s.b, 0, 1)),
    );
    cases
}

/// What opens a connection, and what doesn't.
fn openings(s: &Side) -> Vec<Case> {
    use builder::{ACK, FIN, RST, SYN};
    let p = s.packet();
    let mut cases = Vec::new();
    for (name, flags) in [
        ("no flag", 0),
        ("ACK", ACK),
        ("SYN and ACK", SYN | ACK),
        ("SYN and RST", SYN | RST),
        ("SYN and FIN", SYN | FIN),
        ("FIN", FIN),
        ("RST", RST),
    ] {
        cases.push(
            case(format!("{name} opens nothing"), two(s))
                .send(p.clone().flags(flags))
                .passes()
                .counts(counter::NO_CONNECTION)
                .check(Check::Remembered(0)),
        );
    }
    for (name, end) in [("FIN", p.clone().fin()), ("RST", p.clone().rst())] {
        cases.push(
            opened(s, &format!("the port comes round again after {name}"))
                .send(p.clone())
                .direct(&s.a)
                .send(end)
                .direct(&s.a)
                .send(syn(s, 0))
                .direct(&s.b)
                .check(Check::Known(p.clone(), s.b, ssi_abi::conn::state::SYN))
                .check(Check::Load(s.a, 0, 0))
                .check(Check::Load(s.b, 0, 1)),
        );
    }
    cases
}

/// What becomes of connections when something becomes of their server.
fn servers(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let established = |name| opened(s, name).send(p.clone()).direct(&s.a);
    vec![
        established("drained: the old go on, new ones go elsewhere")
            .then(Change::Weight(s.a, 0))
            .send(p.clone().payload(9))
            .direct(&s.a)
            .send(syn(s, 1))
            .direct(&s.b)
            .send(syn(s, 2))
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.a),
        established("drained: its last client's port comes round again")
            .then(Change::Weight(s.a, 0))
            .send(p.clone().fin())
            .direct(&s.a)
            .send(syn(s, 0))
            .direct(&s.b),
        established("down: its connections are nobody's, new ones go elsewhere")
            .then(Change::Down(s.a))
            .send(p.clone())
            .passes()
            .counts(counter::NO_CONNECTION)
            .send(syn(s, 0))
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b),
        established("removed: its connections are nobody's")
            .then(Change::Remove(s.a))
            .send(p.clone())
            .passes()
            .counts(counter::NO_CONNECTION)
            .send(syn(s, 0))
            .direct(&s.b),
        established("removed: no connection follows its index to the next server")
            .then(Change::Remove(s.a))
            .then(Change::Add(s.c.by_direct()))
            .send(p.clone())
            .passes()
            .counts(counter::NO_CONNECTION)
            .check(Check::Load(s.c, 0, 0)),
        case("removed: a UDP flow goes to another", {
            s.udp().server(s.a.by_direct()).server(s.b.by_direct())
        })
        .send(s.datagram())
        .direct(&s.a)
        .then(Change::Remove(s.a))
        .send(s.datagram())
        .direct(&s.b),
        case("down: a UDP flow goes to another", {
            s.udp().server(s.a.by_direct()).server(s.b.by_direct())
        })
        .send(s.datagram())
        .direct(&s.a)
        .then(Change::Down(s.a))
        .send(s.datagram())
        .direct(&s.b)
        .send(s.datagram())
        .direct(&s.b),
    ]
}
