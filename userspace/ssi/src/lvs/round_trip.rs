//! Whatever can be saved is restored the same; nothing that is typed makes us panic.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ssi_api::lvs::{
    Command, Counters, Method, PortRange, Protocol, Rates, Scheduler, ServerName, ServerSpec,
    ServerView, ServiceFlags, ServiceName, ServiceSpec, ServiceView,
};

use super::grammar::{self, testing::Fixed};
use super::names::Printed;
use super::{restore, save};

fn addr(v6: bool) -> BoxedStrategy<IpAddr> {
    if v6 {
        (1..=u16::MAX)
            .prop_map(|n| Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 1).into())
            .boxed()
    } else {
        (1..=254_u8, any::<u8>())
            .prop_map(|(a, b)| Ipv4Addr::new(10, a, b, 1).into())
            .boxed()
    }
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp)]
}

fn member() -> impl Strategy<Value = PortRange> {
    (
        protocol(),
        any::<bool>().prop_flat_map(addr),
        any::<(u16, u16)>(),
    )
        .prop_map(|(protocol, addr, (a, b))| PortRange {
            protocol,
            addr,
            first: if a.min(b) == 0 { 0 } else { a.min(b) },
            last: if a.min(b) == 0 { 0 } else { a.max(b) },
        })
}

fn service() -> impl Strategy<Value = (ServiceName, ServiceSpec)> {
    let name = any::<bool>().prop_flat_map(|v6| {
        prop_oneof![
            (protocol(), addr(v6), any::<u16>()).prop_map(|(protocol, addr, port)| {
                ServiceName::Address {
                    protocol,
                    addr,
                    port,
                }
            }),
            (1..=u32::MAX).prop_map(move |mark| ServiceName::Mark { mark, v6 }),
        ]
    });
    (
        name,
        prop::sample::select(Scheduler::ALL.to_vec()),
        option::of(1..=86_400_u32),
        option::of(1..=31_u8),
        any::<(bool, bool, bool, bool)>(),
        vec(member(), 0..4),
    )
        .prop_map(|(name, scheduler, persistent, prefix, flags, members)| {
            let (one_packet, port, fallback, track) = flags;
            let hashes = matches!(scheduler, Scheduler::Sh | Scheduler::Mh);
            let (tcp, mark) = match name {
                ServiceName::Address { protocol, .. } => (protocol == Protocol::Tcp, false),
                ServiceName::Mark { .. } => (false, true),
            };
            let spec = ServiceSpec {
                scheduler,
                persistent,
                prefix: persistent.and(prefix),
                one_packet: one_packet && !tcp,
                flags: ServiceFlags {
                    port: port && hashes,
                    fallback: fallback && hashes,
                    track: track && scheduler == Scheduler::Slot,
                },
                members: if mark { members } else { Vec::new() },
                supervised: false,
            };
            (name, spec)
        })
}

fn view(
    (service, spec): (ServiceName, ServiceSpec),
    servers: BTreeMap<IpAddr, (u16, ServerSpec)>,
) -> ServiceView {
    let servers = servers.into_iter().map(|(addr, (own, spec))| ServerView {
        server: ServerName {
            addr,
            port: match service {
                ServiceName::Address { port, .. } if spec.method != Method::Masq => port,
                _ => own,
            },
        },
        spec,
        local: false,
        reachable: true,
        active: 0,
        inactive: 0,
        slots: None,
        counters: Counters::default(),
        rates: Rates::default(),
    });
    ServiceView {
        service,
        spec,
        director: true,
        counters: Counters::default(),
        rates: Rates::default(),
        servers: servers.collect(),
    }
}

fn server() -> impl Strategy<Value = (IpAddr, (u16, ServerSpec))> {
    (
        any::<bool>().prop_flat_map(addr),
        any::<u16>(),
        prop_oneof![
            Just(Method::Route),
            Just(Method::Tunnel),
            Just(Method::Masq)
        ],
        0..=65_535_u32,
        any::<(u16, u16)>(),
    )
        .prop_map(|(addr, port, method, weight, (a, b))| {
            let (upper, lower) = (u32::from(a.max(b)), u32::from(a.min(b)));
            (
                addr,
                (
                    port,
                    ServerSpec {
                        method,
                        weight,
                        upper,
                        lower,
                        supervised: false,
                    },
                ),
            )
        })
}

fn commands(views: &[ServiceView]) -> Vec<Command> {
    let mut commands = Vec::new();
    for view in views {
        commands.push(Command::AddService {
            service: view.service,
            spec: view.spec.clone(),
        });
        for server in &view.servers {
            commands.push(Command::AddServer {
                service: view.service,
                server: server.server,
                spec: server.spec,
            });
        }
    }
    commands
}

/// Words that make a parser go places.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(
            [
                "-A",
                "-a",
                "-E",
                "-e",
                "-D",
                "-d",
                "-L",
                "-l",
                "-S",
                "-R",
                "-C",
                "-Z",
                "--set",
                "-t",
                "-u",
                "-f",
                "-6",
                "-s",
                "-p",
                "-M",
                "-b",
                "-r",
                "-g",
                "-i",
                "-m",
                "-w",
                "-x",
                "-y",
                "-n",
                "-c",
                "-o",
                "--stats",
                "--member",
                "--output",
                "json",
                "rr",
                "slot",
                "10.0.0.1:80",
                "[::1]:80",
                "10.0.0.2",
                "tcp:10.0.0.1:1-2",
                "1",
                "300",
                "--",
                "-",
                "",
                "--pe=sip",
                "-Ln",
                "-At",
            ]
            .map(str::to_owned)
            .to_vec()
        ),
        ".{0,12}",
        "-{0,2}[a-zA-Z6]{1,4}=?[0-9:.\\[\\]]{0,8}",
    ]
}

proptest! {
    #[test]
    fn what_is_saved_is_restored(
        described in vec((service(), vec(server(), 0..4)), 0..6),
    ) {
        let views: Vec<_> = described
            .into_iter()
            .map(|(service, servers)| view(service, servers.into_iter().collect()))
            .collect();
        let text = save::rules(&views, &Printed::new(true));
        let rules = restore::parse(&text, &Fixed)
            .map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(rules.commands, commands(&views), "{}", text);
    }

    #[test]
    fn no_argument_vector_panics(args in vec(word(), 0..10)) {
        if let Err(error) = grammar::parse(&args, &Fixed) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_file_of_rules_panics(text in "(\\PC{0,20}|-[Aa] -t [0-9.:\\[\\]]{1,12}( -r [0-9.]{1,9})?\n){0,8}") {
        let _ = restore::parse(&text, &Fixed);
    }
}
