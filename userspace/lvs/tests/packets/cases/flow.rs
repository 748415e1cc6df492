//! The flow cache: packets go by a copy of the connection table, and by nothing that the
//! table would no longer say. IPv4 alone has one.

use ssi_abi::conn::state::{CLOSE, ESTABLISHED, FIN, SYN};
use ssi_abi::counter;

use super::nat::answer;
use super::schedule::syn;
use super::*;
use crate::bench::COPIES;
use crate::case::{Case, Change, Check, case};

pub fn cases(s: &Side) -> Vec<Case> {
    if !s.v4 {
        return Vec::new();
    }
    let mut cases = lasts(s);
    cases.extend(ends(s));
    cases.extend(slots(s));
    cases.extend(begins_anew(s));
    cases
}

fn two(s: &Side) -> World {
    s.tcp().server(s.a.by_direct()).server(s.b.by_direct())
}

/// An established connection that the cache has a copy of.
fn copied(s: &Side, name: &str) -> Case {
    case(name, two(s))
        .send(syn(s, 0))
        .direct(&s.a)
        .send(s.packet())
        .direct(&s.a)
        .send(s.packet())
        .direct(&s.a)
}

/// The same, and the table has lost the connection.
fn pushed_out(s: &Side, name: &str) -> Case {
    copied(s, name).then(Change::PushOut)
}

fn lasts(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let udp = s.udp().server(s.a.by_direct()).server(s.b.by_direct());
    let nat = s.tcp().server(s.a.by_nat()).server(s.b.by_nat());
    vec![
        pushed_out(s, "for a while the table is not asked")
            .send(p.clone().payload(9))
            .direct(&s.a)
            .check(Check::Remembered(0))
            .check(Check::Stats(
                s.a,
                [
                    1,
                    4,
                    p.clone().syn().size() + 2 * p.size() + p.clone().payload(9).size(),
                    0,
                    0,
                ],
            )),
        case("the same for UDP", udp)
            .send(s.datagram())
            .direct(&s.a)
            .send(s.datagram())
            .direct(&s.a)
            .then(Change::PushOut)
            .send(s.datagram())
            .direct(&s.a)
            .check(Check::Remembered(0)),
        case("the same for NAT, one way", nat)
            .send(p.clone().syn())
            .nat(&s.a, PORT)
            .send(p.clone())
            .nat(&s.a, PORT)
            .then(Change::PushOut)
            .send(p.clone())
            .nat(&s.a, PORT)
            .send_inside(answer(&p, &s.a, PORT))
            .passes(),
        copied(s, "then the table learns that the flow is in use")
            .then(Change::Age(COPIES + 1))
            .send(p.clone())
            .direct(&s.a)
            .then(Change::Age(899))
            .send(p.clone())
            .direct(&s.a)
            .check(Check::Known(p.clone(), s.a, ESTABLISHED)),
        pushed_out(s, "drained servers keep what they have")
            .then(Change::Weight(s.a, 0))
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

/// Nothing is copied, or goes by a copy, that the table would not say.
fn ends(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let gone = |case: Case| {
        case.send(p.clone())
            .passes()
            .counts(counter::NO_CONNECTION)
            .check(Check::Remembered(0))
    };
    let mut cases = vec![
        gone(pushed_out(s, "a copy outlives its time no jiffy").then(Change::Age(COPIES))),
        gone(pushed_out(s, "a copy does not outlive its server").then(Change::Remove(s.a))),
        gone(
            pushed_out(s, "a copy is not for the next server at its index")
                .then(Change::Remove(s.a))
                .then(Change::Add(s.c.by_direct())),
        ),
        gone(pushed_out(s, "a server that is down gets nothing").then(Change::Down(s.a))),
        case("a connection that is opening is not copied", two(s))
            .send(syn(s, 0))
            .direct(&s.a)
            .with(|case| gone(case.then(Change::PushOut))),
    ];
    for (name, end, state) in [
        ("FIN", p.clone().fin(), FIN),
        ("RST", p.clone().rst(), CLOSE),
    ] {
        cases.push(
            copied(s, &format!("{name} is told the table"))
                .send(end.clone())
                .direct(&s.a)
                .check(Check::Known(p.clone(), s.a, state)),
        );
        cases.push(gone(
            copied(s, &format!("{name} ends the copy, and there is no other"))
                .send(end)
                .direct(&s.a)
                .send(p.clone())
                .direct(&s.a)
                .then(Change::PushOut),
        ));
    }
    cases
}

/// The copy of what a slot said.
fn slots(s: &Side) -> Vec<Case> {
    let (a, b) = (s.a.by_direct(), s.b.by_direct().node());
    let p = s.packet();
    let moved = |name: &str| {
        case(name, s.tcp().slot().server(a))
            .send(p.clone())
            .direct(&s.a)
            .then(Change::Add(b))
            .then(Change::Weight(s.a, 0))
            .check(Check::Remembered(0))
    };
    vec![
        moved("when a slot moves, its flows stay for a while")
            .send(p.clone())
            .direct(&s.a)
            .then(Change::Age(COPIES))
            .send(p.clone())
            .direct(&s.b),
        moved("when a slot moves, a SYN is the current owner's, and what follows")
            .send(syn(s, 0))
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b),
        moved("when a slot's owner goes, so does the copy")
            .then(Change::Remove(s.a))
            .send(p.clone())
            .direct(&s.b),
        moved("when a slot's owner is down, so is the copy")
            .then(Change::Down(s.a))
            .send(p.clone())
            .direct(&s.b),
    ]
}

/// The client's port comes round.
fn begins_anew(s: &Side) -> Vec<Case> {
    let p = s.packet();
    vec![
        pushed_out(s, "a SYN is always scheduled")
            .send(syn(s, 0))
            .direct(&s.b)
            .check(Check::Known(p.clone(), s.b, SYN))
            .send(p.clone())
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b),
        copied(s, "after RST the next connection is the next server's")
            .send(p.clone().rst())
            .direct(&s.a)
            .send(syn(s, 0))
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b),
    ]
}
