//! The flow cache: packets go by a copy of the connection table, and by nothing that the
//! table would no longer say. IPv4 alone has one.

use ssi_abi::conn::state::{ESTABLISHED, IDLE, SYN};
use ssi_abi::counter;

use super::nat::{answer, on_its_way};
use super::schedule::syn;
use super::*;
use crate::case::{Case, Change, Check, case};

pub fn cases(s: &Side) -> Vec<Case> {
    if !s.v4 {
        return Vec::new();
    }
    let mut cases = lasts(s);
    cases.extend(ends(s));
    cases
}

fn two(s: &Side) -> World {
    s.tcp().server(s.a.by_direct()).server(s.b.by_direct())
}

/// A connection that the cache knows, and the connection table has lost.
fn pushed_out(s: &Side, name: &str) -> Case {
    case(name, two(s))
        .send(syn(s, 0))
        .direct(&s.a)
        .send(s.packet())
        .direct(&s.a)
        .then(Change::PushOut)
}

fn lasts(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let udp = s.udp().server(s.a.by_direct()).server(s.b.by_direct());
    let nat = s.tcp().server(s.a.by_nat()).server(s.b.by_nat());
    let back = answer(&p, &s.a, PORT);
    vec![
        pushed_out(s, "for a while the table is not asked")
            .send(p.clone().payload(9))
            .direct(&s.a)
            .check(Check::Remembered(0)),
        pushed_out(
            s,
            "then it is told what it lost, which is no new connection",
        )
        .then(Change::Age(1))
        .send(p.clone())
        .direct(&s.a)
        .check(Check::Known(p.clone(), s.a, ESTABLISHED))
        .check(Check::Stats(
            s.a,
            [1, 3, p.clone().syn().size() + 2 * p.size(), 0, 0],
        )),
        case("the same for UDP", udp)
            .send(s.datagram())
            .direct(&s.a)
            .send(s.datagram())
            .direct(&s.a)
            .then(Change::PushOut)
            .then(Change::Age(1))
            .send(s.datagram())
            .direct(&s.a)
            .check(Check::Known(s.datagram(), s.a, IDLE))
            .check(Check::Stats(s.a, [1, 3, 3 * s.datagram().size(), 0, 0])),
        case("the same for NAT, both ways", nat)
            .send(p.clone().syn())
            .nat(&s.a, PORT)
            .send(p.clone())
            .nat(&s.a, PORT)
            .then(Change::PushOut)
            .then(Change::Age(1))
            .send(p.clone())
            .nat(&s.a, PORT)
            .send_inside(back.clone())
            .goes(on_its_way(s, &back)),
        pushed_out(s, "drained servers keep what they have")
            .then(Change::Weight(s.a, 0))
            .then(Change::Age(1))
            .send(p.clone())
            .direct(&s.a),
        pushed_out(s, "flows are told apart")
            .send(p.clone().sourced(s.client, CLIENT + 1))
            .passes()
            .counts(counter::NO_CONNECTION)
            .send(p.clone().sourced(s.other_client, CLIENT))
            .passes()
            .counts(counter::NO_CONNECTION),
    ]
}

fn ends(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let gone = |case: Case| {
        case.send(p.clone())
            .passes()
            .counts(counter::NO_CONNECTION)
            .check(Check::Remembered(0))
    };
    let mut cases = vec![
        gone(pushed_out(s, "nothing outlives its time").then(Change::Age(901))),
        gone(pushed_out(s, "nothing outlives its server").then(Change::Remove(s.a))),
        gone(
            pushed_out(s, "nothing goes to the next server at its index")
                .then(Change::Remove(s.a))
                .then(Change::Add(s.c.by_direct())),
        ),
        gone(pushed_out(s, "nothing goes to a server that is down").then(Change::Down(s.a))),
        pushed_out(s, "a SYN is always scheduled")
            .send(syn(s, 0))
            .direct(&s.b)
            .check(Check::Known(p.clone(), s.b, SYN))
            .send(p.clone())
            .direct(&s.b),
    ];
    for (name, end) in [("FIN", p.clone().fin()), ("RST", p.clone().rst())] {
        cases.push(gone(
            pushed_out(s, &format!("{name} is told the table, and ends the copy"))
                .send(end)
                .passes()
                .counts(counter::NO_CONNECTION),
        ));
    }
    cases
}
