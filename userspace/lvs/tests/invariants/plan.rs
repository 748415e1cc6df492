//! What is thrown: small worlds, packets that could be, and what may happen to them on
//! the way.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ssi_api::lvs::{Method, Scheduler, ServiceName};

use crate::builder::{Extension, Packet, pattern};
use crate::case::{Entry, Way};
use crate::topology::{INSIDE_MAC, Real, Side, V4, V6};
use crate::world::{ServerDef, World, tcp, udp};

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub side: Side,
    pub world: World,
    pub events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub enum Event {
    Send {
        entry: Entry,
        way: Way,
        packet: Box<Packet>,
        mutations: Vec<Mutation>,
    },
    /// Service, server, by position; taken modulo what is there.
    Weight(usize, usize, u32),
}

/// What happens to the bytes of a frame.
#[derive(Clone, Copy, Debug)]
pub enum Mutation {
    /// Changes bits of a byte.
    Flip(usize, u8),
    /// Sets two bytes.
    Set(usize, u16),
    Cut(usize),
    Extend(usize),
}

pub fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![Just(V4), Just(V6)].prop_flat_map(|side| {
        (world(side), vec(event(side), 1..40)).prop_map(move |(world, events)| Plan {
            side,
            world,
            events,
        })
    })
}

/// The services that a world may have.
fn names(s: &Side) -> [ServiceName; 4] {
    [
        tcp(s.vip, 80),
        udp(s.vip, 80),
        tcp(s.other_vip, 443),
        udp(s.other_vip, 53),
    ]
}

fn world(s: Side) -> impl Strategy<Value = World> {
    let service = || option::weighted(0.7, service(s));
    let mtus = prop::array::uniform4(prop_oneof![Just(0), Just(1280), Just(1300), Just(1500)]);
    let local = prop_oneof![9 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    (prop::array::uniform4(service()), mtus, local, any::<bool>()).prop_map(
        move |(services, mtus, local, peer)| {
            let mut world = World::default();
            for (name, service) in names(&s).into_iter().zip(services) {
                let Some(service) = service else { continue };
                world = service.build(world, name, &mtus, local);
            }
            if peer { world.peer(s.c.addr) } else { world }
        },
    )
}

#[derive(Clone, Debug)]
struct Service {
    scheduler: Scheduler,
    persistent: bool,
    one_packet: bool,
    director: bool,
    /// Server, method, weight.
    servers: Vec<(Real, Method, u32)>,
}

fn service(s: Side) -> impl Strategy<Value = Service> {
    let scheduler = prop::sample::select(Scheduler::ALL.to_vec());
    let rarely = || prop::bool::weighted(0.15);
    let servers = prop::array::uniform4(option::weighted(0.7, server()));
    (
        scheduler,
        rarely(),
        rarely(),
        prop::bool::weighted(0.85),
        servers,
    )
        .prop_map(
            move |(scheduler, persistent, one_packet, director, servers)| {
                let all = [s.a, s.b, s.c, s.d];
                let there = all.into_iter().zip(servers).filter_map(|(real, how)| {
                    let (method, weight, cross) = how?;
                    let other = s.other();
                    let crossed = [other.a, other.b, other.c, other.d];
                    let at = all.iter().position(|it| *it == real)?;
                    let real = if cross && method == Method::Tunnel {
                        crossed[at]
                    } else {
                        real
                    };
                    Some((real, method, weight))
                });
                Service {
                    scheduler,
                    persistent,
                    one_packet,
                    director,
                    servers: there.collect(),
                }
            },
        )
}

fn server() -> impl Strategy<Value = (Method, u32, bool)> {
    let method = prop::sample::select(vec![Method::Route, Method::Tunnel, Method::Masq]);
    (
        method,
        prop_oneof![1 => Just(0_u32), 3 => 1..4_u32],
        any::<bool>(),
    )
}

impl Service {
    fn build(
        self,
        world: World,
        name: ServiceName,
        mtus: &[u16; 4],
        local: Option<usize>,
    ) -> World {
        let is_udp = matches!(
            name,
            ServiceName::Address {
                protocol: ssi_api::lvs::Protocol::Udp,
                ..
            }
        );
        let mut world = world.service(name).scheduler(self.scheduler);
        if self.persistent {
            world = world.persistent(100, 24);
        }
        if self.one_packet && is_udp {
            world = world.one_packet();
        }
        if !self.director {
            world = world.directed_elsewhere();
        }
        for (real, method, weight) in self.servers {
            let at = host(&real);
            let mut server = ServerDef {
                method,
                ..real.by_direct()
            }
            .weight(weight);
            server.mtu = mtus[at];
            server.local = local == Some(at);
            if method == Method::Masq {
                server = server.port(8080);
            }
            world = world.server(server);
        }
        world
    }
}

/// Which of a, b, c and d a server is, in either family.
pub fn host(real: &Real) -> usize {
    let all = [V4.a, V4.b, V4.c, V4.d];
    all.iter()
        .position(|it| it.mac == real.mac)
        .expect("one of four")
}

fn event(s: Side) -> impl Strategy<Value = Event> {
    let entry = prop_oneof![Just(Entry::Xdp), Just(Entry::Tc)];
    let mutations = prop_oneof![1 => Just(Vec::new()), 1 => vec(mutation(), 1..4)];
    let send =
        (entry, packet(s), mutations).prop_map(|(entry, (way, packet), mutations)| Event::Send {
            entry,
            way,
            packet: Box::new(packet),
            mutations,
        });
    prop_oneof![
        12 => send,
        1 => (any::<usize>(), any::<usize>(), 0..2_u32)
            .prop_map(|(service, server, weight)| Event::Weight(service, server, weight)),
    ]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (12..90_usize, 1..=255_u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        2 => (12..90_usize, any::<u16>()).prop_map(|(at, to)| Mutation::Set(at, to)),
        1 => (14..200_usize).prop_map(Mutation::Cut),
        1 => (1..64_usize).prop_map(Mutation::Extend),
    ]
}

fn packet(s: Side) -> impl Strategy<Value = (Way, Packet)> {
    let client = prop_oneof![Just(s.client), Just(s.other_client)];
    let address = prop_oneof![8 => Just(s.vip), 4 => Just(s.other_vip), 1 => Just(s.nobody)];
    let port = prop_oneof![6 => Just(80_u16), 4 => Just(443), 2 => Just(53), 1 => any::<u16>()];
    let from = prop_oneof![8 => 40_000..40_006_u16, 1 => Just(0_u16)];
    let base = (
        client,
        address,
        from,
        port,
        any::<bool>(),
        body_size(),
        any::<u8>(),
    );
    (base, dressing(), kind()).prop_map(move |(base, dressing, kind)| {
        let (client, address, from, port, is_tcp, size, flags) = base;
        let packet = Packet::new(client, address);
        let packet = if is_tcp {
            // Mostly what belongs to a connection's life.
            let flags = [2, 2, 16, 16, 17, 4, 24, flags][usize::from(flags % 8)];
            packet.tcp(from, port).flags(flags).payload(size)
        } else {
            packet.udp(from, port).payload(size)
        };
        kind.make(&s, dressing.put_on(packet))
    })
}

fn body_size() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..100_usize, 2 => 1200..1480_usize]
}

#[derive(Clone, Debug)]
struct Dressing {
    hops: u8,
    may_fragment: bool,
    options: usize,
    extensions: Vec<(u8, usize)>,
}

fn dressing() -> impl Strategy<Value = Dressing> {
    let hops = prop_oneof![8 => 2..=255_u8, 1 => 0..2_u8];
    let extension = (prop::sample::select(vec![0, 43, 51, 60]), 1..4_usize);
    (
        hops,
        any::<bool>(),
        0..11_usize,
        prop_oneof![3 => Just(vec![]), 1 => vec(extension, 1..4)],
    )
        .prop_map(|(hops, may_fragment, options, extensions)| Dressing {
            hops,
            may_fragment,
            options: options.saturating_sub(6) * 4,
            extensions,
        })
}

impl Dressing {
    fn put_on(self, packet: Packet) -> Packet {
        let mut packet = packet.hops(self.hops);
        packet.ip.dont_fragment = !self.may_fragment;
        if packet.ip.source.is_ipv4() {
            return packet.options(self.options);
        }
        self.extensions
            .into_iter()
            .fold(packet, |packet, (number, units)| {
                packet.extension(match number {
                    51 => Extension::Authentication(units * 2),
                    _ => Extension::Options(number, units),
                })
            })
    }
}

/// What else a client's packet may become.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    /// One of its fragments.
    Fragment(usize),
    /// An ICMP error about a packet of the opposite direction, quoting so much of it.
    Error(u8, u8, usize),
    /// Tunnelled by a node: server c, or another.
    Tunnelled(bool),
    /// What a server answers under NAT.
    Answer(usize),
    /// The same, sent by this node.
    Leaving(usize),
    Raw(u8),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        10 => Just(Kind::Plain),
        3 => (0..3_usize).prop_map(Kind::Fragment),
        2 => (1..13_u8, 0..5_u8, 0..200_usize).prop_map(|(kind, code, n)| Kind::Error(kind, code, n)),
        2 => any::<bool>().prop_map(Kind::Tunnelled),
        2 => (0..4_usize).prop_map(Kind::Answer),
        1 => (0..4_usize).prop_map(Kind::Leaving),
        1 => any::<u8>().prop_map(Kind::Raw),
    ]
}

impl Kind {
    fn make(self, s: &Side, packet: Packet) -> (Way, Packet) {
        let servers = [s.a, s.b, s.c, s.d];
        let answer = |at: usize| {
            let server: Real = servers[at];
            packet
                .clone()
                .destined(server.addr, 8080)
                .reversed()
                .macs(INSIDE_MAC, server.mac)
        };
        match self {
            Self::Plain => (Way::Outside, packet),
            Self::Fragment(at) => {
                let fragments = packet.fragments(64);
                (Way::Outside, fragments[at % fragments.len()].clone())
            }
            Self::Error(kind, code, bytes) => {
                let about = packet.clone().reversed();
                let error = Packet::new(s.nobody, about.ip.source)
                    .hops(packet.ip.hops)
                    .icmp(kind, code, [0, 0, 5, 0])
                    .quoting(&about, bytes);
                (Way::Outside, error)
            }
            Self::Tunnelled(peer) => {
                let from = if peer { s.c } else { s.b };
                let outer = Packet::new(from.addr, s.own).macs(INSIDE_MAC, from.mac);
                (Way::Inside, outer.carrying(&packet))
            }
            Self::Answer(at) => (Way::Inside, answer(at)),
            Self::Leaving(at) => (Way::Leaving, answer(at)),
            Self::Raw(protocol) => (Way::Outside, packet.raw(protocol, pattern(50))),
        }
    }
}

impl Mutation {
    pub fn happen(self, frame: &mut Vec<u8>) {
        match self {
            Self::Flip(at, bits) => {
                if let Some(byte) = frame.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Self::Set(at, to) => {
                if let Some(bytes) = frame.get_mut(at..at + 2) {
                    bytes.copy_from_slice(&to.to_be_bytes());
                }
            }
            Self::Cut(len) => frame.truncate(len),
            Self::Extend(more) => frame.resize(frame.len() + more, 0x5a),
        }
    }
}
