//! What is measured by the packet.

use std::net::{IpAddr, Ipv6Addr};

use ssi_api::lvs::{Method, Scheduler};

use super::frame::Flows;
use super::rig::Service;

/// What the program is to say (`uapi/linux/bpf.h`).
pub(super) const PASS: u32 = 2;
pub(super) const TX: u32 = 3;

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub name: &'static str,
    /// None: the address is no service's.
    pub service: Option<Service>,
    pub vip: IpAddr,
    pub flows: Flows,
    /// Nanoseconds, where the empty program takes [`BAR_EMPTY`].
    pub bar: Option<f64>,
}

/// The empty program's cost on the machine that the bars were set on, nanoseconds.
pub(super) const BAR_EMPTY: f64 = 25.0;

impl Case {
    /// Whether its frames open connections.
    pub(super) fn opens(&self) -> bool {
        self.flows == Flows::New
    }

    /// Whether the frame gets an outer header.
    pub(super) fn grows(&self) -> bool {
        self.service.is_some_and(|s| s.method == Method::Tunnel)
    }

    pub(super) fn verdict(&self) -> u32 {
        if self.service.is_some() { TX } else { PASS }
    }
}

/// Established connections, and what is none of ours.
pub(super) fn hits() -> Vec<Case> {
    use Flows::{Many, One, Quiet};
    use Method::{Masq, Route, Tunnel};
    use Scheduler::{Rr, Slot};
    let rows = [
        ("direct, rr, 1 flow", v4(1), Rr, Route, One, Some(70.0)),
        ("direct, rr, 64K flows", v4(1), Rr, Route, Many, Some(220.0)),
        ("direct, rr, 64K quiet flows", v4(1), Rr, Route, Quiet, None),
        ("direct, slot, 1 flow", v4(2), Slot, Route, One, Some(70.0)),
        (
            "direct, slot, 64K flows",
            v4(2),
            Slot,
            Route,
            Many,
            Some(220.0),
        ),
        ("IPIP, rr, 1 flow", v4(3), Rr, Tunnel, One, Some(100.0)),
        ("IPIP, rr, 64K flows", v4(3), Rr, Tunnel, Many, Some(260.0)),
        ("NAT, rr, 1 flow", v4(4), Rr, Masq, One, Some(120.0)),
        ("NAT, rr, 64K flows", v4(4), Rr, Masq, Many, None),
        ("IPv6 direct, rr, 1 flow", v6(5), Rr, Route, One, None),
        ("IPv6 direct, rr, 64K flows", v6(5), Rr, Route, Many, None),
        ("IPv6 direct, slot, 1 flow", v6(6), Slot, Route, One, None),
    ];
    let mut cases: Vec<_> = rows.into_iter().map(|row| case(row, 4)).collect();
    cases.push(Case {
        name: "none of ours",
        service: None,
        vip: v4(99),
        flows: One,
        bar: None,
    });
    cases
}

/// New connections.
pub(super) fn news() -> Vec<Case> {
    use Flows::New;
    use Method::Route;
    use Scheduler::{Rr, Slot, Wlc};
    vec![
        case(
            (
                "new, direct, rr, full table",
                v4(1),
                Rr,
                Route,
                New,
                Some(1000.0),
            ),
            4,
        ),
        case(
            (
                "new, direct, wlc of 16, full table",
                v4(2),
                Wlc,
                Route,
                New,
                None,
            ),
            16,
        ),
        case(("new, direct, slot", v4(3), Slot, Route, New, None), 4),
    ]
}

type Row = (&'static str, IpAddr, Scheduler, Method, Flows, Option<f64>);

fn case((name, vip, scheduler, method, flows, bar): Row, servers: u8) -> Case {
    Case {
        name,
        service: Some(Service {
            vip,
            scheduler,
            method,
            servers,
        }),
        vip,
        flows,
        bar,
    }
}

fn v4(number: u8) -> IpAddr {
    [10, 88, 0, number].into()
}

fn v6(number: u8) -> IpAddr {
    Ipv6Addr::new(0xfd88, 0, 0, 0, 0, 0, 1, number.into()).into()
}

/// The services of some cases, each once.
pub(super) fn services(cases: &[Case]) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for service in cases.iter().filter_map(|case| case.service) {
        if services.iter().all(|known| known.vip != service.vip) {
            services.push(service);
        }
    }
    services
}
