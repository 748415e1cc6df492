//! A client's port that comes round again: its addresses and ports are those of an earlier
//! connection, but its server may be another.

use ssi_abi::counter;
use ssi_api::lvs::Scheduler;

use super::schedule::syn;
use super::*;
use crate::case::{Case, Change, Check, case};
use crate::world::ServerDef;

/// The client's port of connections that wait in TIME_WAIT, where they outlast a case.
const WAITING: u16 = CLIENT + 77;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = remembered(s);
    cases.extend(elsewhere(s));
    cases.extend(waiting(s));
    cases
}

/// The slots go from `b` to a third server and on to `a`, and that server is removed: then nothing
/// says that they ever moved.
fn detour(case: Case, s: &Side) -> Case {
    case.then(Change::Add(s.c.by_direct()))
        .then(Change::Weight(s.b, 0))
        .then(Change::Weight(s.a, 1))
        .then(Change::Weight(s.c, 0))
        .then(Change::Remove(s.c))
}

/// By the director.
fn remembered(s: &Side) -> Vec<Case> {
    let p = s.packet();
    // Something else on the same address is remembered, whatever the slots do.
    let world = s
        .tcp()
        .slot()
        .server(s.a.by_direct())
        .service(udp(s.vip, PORT));
    let first = |name| {
        case(name, world.clone())
            .then(Change::Add(s.b.by_direct()))
            .then(Change::Weight(s.a, 0))
            .send(syn(s, 0))
            .direct(&s.b)
            .send(p.clone())
            .direct(&s.b)
    };
    let again = |case: Case| {
        detour(case, s)
            .send(syn(s, 0))
            .direct(&s.a)
            .send(p.clone())
            .direct(&s.a)
            .send(p.clone().payload(9))
            .direct(&s.a)
            .check(Check::Remembered(0))
            .check(Check::Load(s.a, 0, 0))
            .check(Check::Load(s.b, 0, 0))
    };
    vec![
        again(
            first("ended with a FIN, in a slot that another server has now")
                .send(p.clone().fin())
                .direct(&s.b),
        ),
        again(
            first("ended with a reset, in a slot that another server has now")
                .send(p.clone().rst())
                .direct(&s.b),
        ),
        again(
            first("forgotten by its time, in a slot that another server has now")
                .then(Change::Age(3_600)),
        ),
    ]
}

/// By a node that directs no more: whoever does has chosen it.
fn elsewhere(s: &Side) -> Vec<Case> {
    let p = s.packet();
    let begun = |name| {
        let world = s.tcp().scheduler(Scheduler::Rr).server(s.a.by_direct());
        case(name, world)
            .then(Change::Add(s.b.by_direct().local()))
            .then(Change::Weight(s.b, 0))
            .send(syn(s, 0))
            .direct(&s.a)
            .then(Change::DirectedElsewhere)
            // What it remembers goes on, until its port comes round again.
            .send(p.clone())
            .direct(&s.a)
    };
    let again = |case: Case| {
        case.send(syn(s, 0))
            .passes()
            .check(Check::Unknown(p.clone()))
            .check(Check::Load(s.a, 0, 0))
            .send(p.clone())
            .passes()
    };
    vec![
        again(begun("remembered by a node that directs no more")),
        again(
            begun("ended, at a node that directs no more")
                .send(p.clone().fin())
                .direct(&s.a),
        ),
    ]
}

/// The earlier one waits in TIME_WAIT, with the slot's current owner; the other owner has the
/// present one, or nobody has.
fn waiting(s: &Side) -> Vec<Case> {
    let ours = s.packet().sourced(s.insider, WAITING);
    let wait = || Change::Wait(s.insider, WAITING, s.vip, PORT);
    let moved = |name: &str, world: World, before: ServerDef, after: ServerDef| {
        case(name, world.slot().server(before).service(udp(s.vip, PORT)))
            .then(Change::Add(after))
            .then(Change::Weight(before.real, 0))
            .then(wait())
    };
    let (a, b) = (s.a.by_direct().node(), s.b.by_direct().node());
    let server = |name| moved(name, s.tcp().directed_elsewhere(), a, b.local());
    let current = |name| moved(name, s.tcp(), a, b.local());
    let previous = |name| moved(name, s.tcp(), a.local(), b);
    let last = |case: Case| {
        [ours.clone(), ours.clone().fin()]
            .into_iter()
            .fold(case, |case, packet| case.send(packet).passes())
            .check(Check::Remembered(0))
    };
    vec![
        last(server("it waits here: its last packets")),
        last(current(
            "the director waits, and is current: its last packets",
        )),
        last(previous(
            "the director waits, and was previous: its last packets",
        )),
        server("it waits here: data are another connection's")
            .send(ours.clone().payload(9))
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        current("the director waits, and is current: data are another connection's")
            .send(ours.clone().payload(9))
            .direct(&s.a)
            .counts(counter::SECOND_CHANCE),
        previous("the director waits, and was previous: data are another connection's")
            .send(ours.clone().payload(9))
            .direct(&s.b),
    ]
}
