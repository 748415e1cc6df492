//! The cases, one topic a file.

mod again;
mod astray;
mod conntrack;
mod decap;
mod direct;
mod flow;
mod fragments;
mod icmp;
mod nat;
mod parse;
mod persist;
mod schedule;
mod slot;
mod tunnel;

use crate::builder::{self, Packet};
use crate::case::Case;
use crate::topology::{SIDES, Side};
use crate::world::{World, tcp, udp};

/// The cases of one topic, on one side.
type Topic = fn(&Side) -> Vec<Case>;

/// Every case, with its topic.
pub fn all() -> Vec<(&'static str, Case)> {
    let topics: &[(&str, Topic)] = &[
        ("parse", parse::cases),
        ("direct", direct::cases),
        ("tunnel", tunnel::cases),
        ("nat", nat::cases),
        ("icmp", icmp::cases),
        ("fragments", fragments::cases),
        ("decap", decap::cases),
        ("schedule", schedule::cases),
        ("persist", persist::cases),
        ("conntrack", conntrack::cases),
        ("flow", flow::cases),
        ("slot", slot::cases),
        ("again", again::cases),
        ("astray", astray::cases),
    ];
    let mut all = Vec::new();
    for (topic, cases) in topics {
        for side in SIDES {
            all.extend(cases(&side).into_iter().map(|mut case| {
                let family = if side.v4 { "IPv4" } else { "IPv6" };
                case.name = format!("{} ({family})", case.name);
                (*topic, case)
            }));
        }
    }
    all
}

/// Port of the virtual services.
const PORT: u16 = 80;
/// Port of the client.
const CLIENT: u16 = 40_000;

impl Side {
    /// A TCP service, with no servers yet.
    fn tcp(&self) -> World {
        World::default().service(tcp(self.vip, PORT))
    }

    /// A UDP service, with no servers yet.
    fn udp(&self) -> World {
        World::default().service(udp(self.vip, PORT))
    }

    /// Offset of the transport header, without options.
    const fn l4(&self) -> usize {
        if self.v4 { 34 } else { 54 }
    }

    /// A client's TCP packet to the service.
    fn packet(&self) -> Packet {
        Packet::new(self.client, self.vip).tcp(CLIENT, PORT)
    }

    /// A client's UDP packet to the service.
    fn datagram(&self) -> Packet {
        Packet::new(self.client, self.vip).udp(CLIENT, PORT)
    }
}
