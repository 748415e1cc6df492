//! Which server gets a new connection.

use ssi_abi::{counter, hash};
use ssi_api::lvs::{PortRange, Protocol, Scheduler, ServiceFlags};
use ssi_lvs::core::schedule::{Member, plan};

use super::*;
use crate::bench::SEED;
use crate::case::{Case, Change, Check, case};
use crate::topology::Real;

pub fn cases(s: &Side) -> Vec<Case> {
    let mut cases = turns(s);
    cases
}

/// The n-th new connection of a client.
fn syn(s: &Side, n: u16) -> Packet {
    Packet::new(s.client, s.vip).tcp(CLIENT + n, PORT).syn()
}

/// New connections one after the other, and where they go.
fn go(mut case: Case, s: &Side, from: u16, servers: &[Real]) -> Case {
    for (n, server) in (from..).zip(servers) {
        case = case.send(syn(s, n)).direct(server);
    }
    case
}

fn turns(s: &Side) -> Vec<Case> {
    let three = |scheduler| {
        s.tcp()
            .scheduler(scheduler)
            .server(s.a.by_direct().weight(3))
            .server(s.b.by_direct())
            .server(s.c.by_direct())
    };
    let (a, b, c) = (s.a, s.b, s.c);
    vec![
        go(case("rr: in turn, whatever the weights", three(Scheduler::Rr)), s, 0, &[a, b, c, a, b, c]),
    ]
}
