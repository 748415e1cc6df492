//! What must hold of every verdict.

use std::collections::HashSet;
use std::net::IpAddr;

use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use proptest::test_runner::TestCaseError;
use ssi_abi::{Addr, counter, filter};
use ssi_api::lvs::{Command, Method, Protocol, ServiceName};

use crate::bench::{Bench, Stage, meaning};
use crate::case::{Entry, Verdict, Way};
use crate::plan::{Event, Plan, host};
use crate::show;
use crate::topology::{CLIENT_MAC, INSIDE_MAC, OUTSIDE_MAC, Side};
use crate::verify;
use crate::world::ServerDef;

type Outcome = Result<(), String>;

/// Source, destination, protocol, ports.
type Flow = (IpAddr, IpAddr, u8, u16, u16);

/// The smallest frame that a test run of tc takes, whatever the IP version.
const LEAST: usize = 14 + 40;

/// Plays a plan; the error is for people.
pub fn play(bench: &mut Bench, plan: &Plan) -> Result<(), TestCaseError> {
    let mut stage = bench.stage(plan.world.clone());
    let mut flows = HashSet::new();
    for event in &plan.events {
        match event {
            Event::Weight(service, server, weight) => {
                reweigh(&mut stage, *service, *server, *weight);
            }
            Event::Send {
                entry,
                way,
                packet,
                mutations,
            } => {
                let mut frame = packet.bytes();
                for mutation in mutations {
                    mutation.happen(&mut frame);
                }
                if frame.len()
                    < if *entry == Entry::Tc || *way == Way::Leaving {
                        LEAST
                    } else {
                        14
                    }
                {
                    continue;
                }
                send(&mut stage, &plan.side, *entry, *way, &frame, &mut flows)
                    .map_err(TestCaseError::fail)?;
            }
        }
    }
    Ok(())
}

fn reweigh(stage: &mut Stage<'_>, service: usize, server: usize, weight: u32) {
    let services = stage.world.services.len();
    if services == 0 {
        return;
    }
    let service = &mut stage.world.services[service % services];
    if service.servers.is_empty() {
        return;
    }
    let at = server % service.servers.len();
    service.servers[at].weight = weight;
    let (service, server) = (service.name, service.servers[at]);
    let (name, spec) = (server.name(&service), server.spec());
    stage.apply(&[Command::EditServer {
        service,
        server: name,
        spec,
    }]);
}

fn send(
    stage: &mut Stage<'_>,
    side: &Side,
    entry: Entry,
    way: Way,
    frame: &[u8],
    flows: &mut HashSet<Flow>,
) -> Outcome {
    let before = stage.bench.counters();
    let outcome = stage.bench.run(entry, way, frame);
    let after = stage.bench.counters();
    let dropped: u64 = (0..)
        .zip(after.iter().zip(before))
        .map(|(i, (a, b))| if is_drop(i) { a - b } else { 0 })
        .sum();
    let context = |what: &str| {
        format!(
            "{what}\n{entry:?}, {way:?}, verdict {}\nin:\n{}out:\n{}",
            outcome.verdict,
            show::dump(frame, &outcome.packet),
            show::dump(&outcome.packet, frame)
        )
    };
    let verdict = meaning(entry, way, outcome.verdict).map_err(|_| context("no such verdict"))?;
    if (verdict == Verdict::Drop) != (dropped == 1) || dropped > 1 {
        return Err(context(&format!(
            "{dropped} reasons for a drop were counted"
        )));
    }
    match verdict {
        Verdict::Drop => {}
        Verdict::Pass => passed(stage, frame, &outcome.packet).map_err(|what| context(&what))?,
        Verdict::Out | Verdict::Back => {
            let judge = Judge {
                stage,
                frame,
                out: &outcome.packet,
            };
            judge.emitted(flows).map_err(|what| context(&what))?;
        }
    }
    if none_of_ours(stage, side, frame) && verdict != Verdict::Pass {
        return Err(context("it is none of ours"));
    }
    // One whose packet went no further, for want of a hop, has been seen all the same.
    if verdict != Verdict::Pass {
        flows.extend(flow(frame).map(|(flow, _)| flow));
    }
    Ok(())
}

/// Whether a counter is a reason for a drop.
fn is_drop(counter: u32) -> bool {
    use counter::*;
    let goes_on = [
        TOO_BIG,
        NO_CONNECTION,
        TABLE_FULL,
        SECOND_CHANCE,
        DECAPSULATED,
        STRANGER,
        ICMP_RELATED,
    ];
    !goes_on.contains(&counter)
}

/// A packet for the stack is as it was, unless it was opened or translated; and then it
/// is a good one.
fn passed(stage: &Stage<'_>, frame: &[u8], out: &[u8]) -> Outcome {
    if frame == out {
        return Ok(());
    }
    let nat = servers(stage).any(|(_, server)| server.method == Method::Masq);
    let opened = !stage.world.peers.is_empty() && out.len() < frame.len();
    if !nat && !opened {
        return Err("changed, though nothing changes packets here".to_owned());
    }
    if !opened && verify::checksums(frame).is_ok() {
        verify::checksums(out)?;
    }
    Ok(())
}

fn servers<'a>(stage: &'a Stage<'_>) -> impl Iterator<Item = (ServiceName, &'a ServerDef)> {
    stage
        .world
        .services
        .iter()
        .flat_map(|service| service.servers.iter().map(|server| (service.name, server)))
}

/// Whether nobody here has anything to do with a frame: its addresses' words of the filter
/// are nobody's, and it is no tunnel. Short of its addresses, or of another IP version than
/// its EtherType says, it is anybody's.
fn none_of_ours(stage: &Stage<'_>, side: &Side, frame: &[u8]) -> bool {
    let version = frame.get(14).map(|byte| byte >> 4);
    if !matches!(
        (&frame[12..14], version),
        ([0x08, 0x00], Some(4)) | ([0x86, 0xdd], Some(6))
    ) {
        return false;
    }
    let Ok(sliced) = LaxSlicedPacket::from_ethernet(frame) else {
        return false;
    };
    let (source, destination): (IpAddr, IpAddr) = match (&sliced.net, sliced.link_exts.is_empty()) {
        (Some(LaxNetSlice::Ipv4(ip)), true) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        (Some(LaxNetSlice::Ipv6(ip)), true) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        _ => return false,
    };
    let tunnels = [4, 41];
    if tunnels.contains(&frame[23]) || tunnels.contains(&frame[20]) {
        return false;
    }
    let shares =
        |a: IpAddr, b: IpAddr| filter::word(&Addr::from(a)) == filter::word(&Addr::from(b));
    let virtuals = [side.vip, side.other_vip];
    !virtuals.iter().any(|addr| shares(*addr, destination))
        && !servers(stage).any(|(_, server)| shares(server.real.addr, source))
}

/// The flow of a frame, and whether it may open one.
fn flow(frame: &[u8]) -> Option<(Flow, bool)> {
    let sliced = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let (source, destination): (IpAddr, IpAddr) = match sliced.net? {
        LaxNetSlice::Ipv4(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        LaxNetSlice::Ipv6(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        _ => return None,
    };
    match sliced.transport? {
        TransportSlice::Tcp(tcp) => {
            let opens = tcp.syn() && !tcp.ack() && !tcp.rst() && !tcp.fin();
            let flow = (
                source,
                destination,
                IpNumber::TCP.0,
                tcp.source_port(),
                tcp.destination_port(),
            );
            Some((flow, opens))
        }
        TransportSlice::Udp(udp) => {
            let flow = (
                source,
                destination,
                IpNumber::UDP.0,
                udp.source_port(),
                udp.destination_port(),
            );
            Some((flow, true))
        }
        _ => None,
    }
}

struct Judge<'a, 'b> {
    stage: &'a Stage<'b>,
    frame: &'a [u8],
    out: &'a [u8],
}

impl Judge<'_, '_> {
    /// A packet that we send.
    fn emitted(&self, flows: &HashSet<Flow>) -> Outcome {
        if verify::checksums(self.frame).is_ok() {
            verify::checksums(self.out)?;
        }
        let (to, from) = (&self.out[..6], &self.out[6..12]);
        let own = [OUTSIDE_MAC, INSIDE_MAC];
        // An answer that it is too big goes back to whoever sent it.
        let answer = to == &self.frame[6..12] && from == &self.frame[..6];
        if !answer && !own.iter().any(|mac| from == mac) {
            return Err("from a MAC address that isn't ours".to_owned());
        }
        let length = self.alive()?;
        if answer || to == CLIENT_MAC {
            return Ok(());
        }
        let Some((_, server)) = servers(self.stage).find(|(_, server)| to == server.real.mac)
        else {
            return Err("to the MAC address of nobody we know".to_owned());
        };
        if server.mtu != 0 && length > usize::from(server.mtu) {
            return Err(format!("{length} bytes, where {} go through", server.mtu));
        }
        self.not_drained(flows, host(&server.real))
    }

    /// It has a hop left, and all its bytes; how many.
    fn alive(&self) -> Result<usize, String> {
        let ip = &self.out[14..];
        let (hops, length) = match ip[0] >> 4 {
            4 => (ip[8], usize::from(u16::from_be_bytes([ip[2], ip[3]]))),
            6 => (ip[7], 40 + usize::from(u16::from_be_bytes([ip[4], ip[5]]))),
            _ => return Err("neither IPv4 nor IPv6".to_owned()),
        };
        if hops == 0 {
            return Err("no hop left".to_owned());
        }
        if length > ip.len() {
            return Err(format!(
                "{length} bytes, it says, but {} are there",
                ip.len()
            ));
        }
        Ok(length)
    }

    /// No drained server gets a flow that nobody saw before.
    fn not_drained(&self, flows: &HashSet<Flow>, to: usize) -> Outcome {
        let Some((flow, true)) = flow(self.frame) else {
            return Ok(());
        };
        if flows.contains(&flow) {
            return Ok(());
        }
        let (_, destination, number, _, port) = flow;
        let is_its = |name: &ServiceName| {
            let protocol = if number == 6 {
                Protocol::Tcp
            } else {
                Protocol::Udp
            };
            *name
                == ServiceName::Address {
                    protocol,
                    addr: destination,
                    port,
                }
        };
        let drained = servers(self.stage)
            .any(|(name, server)| is_its(&name) && host(&server.real) == to && server.weight == 0);
        if drained {
            return Err("a new flow to a drained server".to_owned());
        }
        Ok(())
    }
}
