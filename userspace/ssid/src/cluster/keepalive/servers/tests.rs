use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use ssi_api::lvs::Protocol;

use super::linger::LINGER;
use super::*;

const SERVICES: [&str; 2] = ["tcp://10.88.0.100:80", "tcp://10.88.0.100:81"];

fn node(number: u8) -> Node {
    Node::new(number.into()).unwrap()
}

fn address(number: u8) -> IpAddr {
    [10, 77, 0, number].into()
}

fn addresses() -> BTreeMap<Node, Vec<IpAddr>> {
    let own = |number: u8| {
        (
            node(number),
            vec![address(number), "fd77::1".parse().unwrap()],
        )
    };
    (1..=4).map(own).collect()
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![
        Just(Share::Nothing),
        Just(Share::Same),
        (1_u32..9).prop_map(Share::Weight)
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let server = share().prop_map(|share| Server {
        method: Method::Route,
        share,
    });
    let scheduler = prop_oneof![
        Just(None),
        Just(Some(Scheduler::Slot)),
        Just(Some(Scheduler::Wlc))
    ];
    let servers = btree_map((1_u8..=4).prop_map(node), server, 0..4);
    (scheduler, servers).prop_map(|(scheduler, servers)| Wanted {
        scheduler,
        servers: servers.into_iter().map(|(n, s)| ((n, 80), s)).collect(),
    })
}

fn balancing() -> impl Strategy<Value = Balancing> {
    let service = (0..SERVICES.len()).prop_map(|n| SERVICES[n].parse().unwrap());
    btree_map(service, wanted(), 0..=2).prop_map(|wanted| Balancing {
        wanted,
        addresses: addresses(),
        there: BTreeSet::new(),
        leaving: Vec::new(),
    })
}

/// What an operator may have put in.
fn by_hand() -> impl Strategy<Value = Vec<AgreedService>> {
    let server = (1_u8..9, 0_u32..5).prop_map(|(n, weight)| {
        let name = ServerName {
            addr: address(n),
            port: 80,
        };
        let spec = ServerSpec {
            weight,
            ..ServerSpec::default()
        };
        (name, spec)
    });
    let service = (79_u16..82, vec(server, 0..4)).prop_map(|(port, mut servers)| {
        servers.sort_by_key(|(name, _)| *name);
        servers.dedup_by_key(|(name, _)| *name);
        AgreedService {
            name: ServiceName::Address {
                protocol: Protocol::Tcp,
                addr: [10, 88, 0, 100].into(),
                port,
            },
            spec: ServiceSpec::default(),
            servers,
            slots: None,
        }
    });
    vec(service, 0..3).prop_map(|mut all| {
        all.sort_by_key(|service| service.name);
        all.dedup_by_key(|service| service.name);
        all
    })
}

/// Carries commands out, as the scheduler does: what makes no sense is refused.
fn carry_out(services: &mut Vec<AgreedService>, commands: &[Command]) {
    let at = |services: &[AgreedService], name: &ServiceName| {
        services.iter().position(|is| is.name == *name)
    };
    for command in commands {
        match command {
            Command::AddService { service, spec } => {
                assert_eq!(at(services, service), None, "{command:?}");
                services.push(AgreedService {
                    name: *service,
                    spec: spec.clone(),
                    servers: Vec::new(),
                    slots: None,
                });
            }
            Command::EditService { service, spec } => {
                let at = at(services, service).unwrap();
                services[at].spec = spec.clone();
            }
            Command::DeleteService { service } => {
                let at = at(services, service).unwrap();
                services.remove(at);
            }
            Command::AddServer {
                service,
                server,
                spec,
            } => {
                let at = at(services, service).unwrap();
                let servers = &mut services[at].servers;
                assert!(
                    servers.iter().all(|(name, _)| name != server),
                    "{command:?}"
                );
                servers.push((*server, *spec));
            }
            Command::EditServer {
                service,
                server,
                spec,
            } => {
                let at = at(services, service).unwrap();
                let servers = &mut services[at].servers;
                servers
                    .iter_mut()
                    .find(|(name, _)| name == server)
                    .unwrap()
                    .1 = *spec;
            }
            Command::DeleteServer { service, server } => {
                let at = at(services, service).unwrap();
                let servers = &mut services[at].servers;
                let before = servers.len();
                servers.retain(|(name, _)| name != server);
                assert_eq!(servers.len() + 1, before, "{command:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// With nodes that have gone with their processes.
fn at_once(balancing: &Balancing, services: &[AgreedService]) -> Vec<Vec<Command>> {
    changes(
        balancing,
        services,
        &mut Lingering::default(),
        Instant::now(),
    )
}

proptest! {
    #[test]
    fn it_becomes_as_it_is_wanted_and_what_is_an_operators_stays(
        by_hand in by_hand(), steps in vec(balancing(), 1..6),
    ) {
        let mut services = by_hand.clone();
        for step in &steps {
            let before = services.clone();
            for list in at_once(step, &services) {
                carry_out(&mut services, &list);
            }
            // Who asks again changes nothing.
            prop_assert_eq!(at_once(step, &services), Vec::<Vec<Command>>::new());
            for (service, wanted) in &step.wanted {
                let is = services.iter().find(|is| is.name == service.name()).unwrap();
                let was = before.iter().find(|was| was.name == service.name());
                for number in 1..=4 {
                    let of = |is: &AgreedService| {
                        let mut servers = is.servers.iter();
                        let found = servers.find(|(name, _)| name.addr == address(number));
                        found.map(|(_, spec)| spec.weight)
                    };
                    let (weight, before) = (of(is), was.and_then(of));
                    match wanted.servers.get(&(node(number), 80)).map(|server| server.share) {
                        Some(Share::Weight(wanted)) => prop_assert_eq!(weight, Some(wanted)),
                        Some(Share::Nothing) => prop_assert_eq!(weight, before.map(|_| 0)),
                        Some(Share::Same) => prop_assert_eq!(weight, before),
                        None => prop_assert_eq!(weight, None),
                    }
                }
            }
            for by_hand in &by_hand {
                let is = services.iter().find(|is| is.name == by_hand.name);
                let is = is.expect("an operator's service stays");
                for server in by_hand.servers.iter().filter(|(name, _)| name.addr > address(4)) {
                    prop_assert!(is.servers.contains(server), "{:?}", server);
                }
            }
        }
        let nothing = Balancing {
            wanted: BTreeMap::new(),
            addresses: addresses(),
            there: BTreeSet::new(),
            leaving: Vec::new(),
        };
        for list in at_once(&nothing, &services) {
            carry_out(&mut services, &list);
        }
        for is in &services {
            prop_assert!(by_hand.iter().any(|old| old.name == is.name));
            prop_assert!(is.servers.iter().all(|(_, spec)| !spec.supervised));
        }
    }
}

#[test]
fn a_node_without_an_address_of_the_family_is_reached_by_a_tunnel() {
    let service = "tcp://[fd88::100]:80".parse().unwrap();
    let server = Server {
        method: Method::Route,
        share: Share::Weight(1),
    };
    let mut balancing = Balancing {
        wanted: BTreeMap::from([(
            service,
            Wanted {
                scheduler: None,
                servers: BTreeMap::from([((node(1), 80), server)]),
            },
        )]),
        addresses: BTreeMap::from([(node(1), vec![address(1)])]),
        there: BTreeSet::new(),
        leaving: Vec::new(),
    };
    let method = |balancing: &Balancing| {
        let lists = at_once(balancing, &[]);
        lists
            .concat()
            .into_iter()
            .find_map(|command| match command {
                Command::AddServer { spec, .. } => Some(spec.method),
                _ => None,
            })
    };
    assert_eq!(method(&balancing), Some(Method::Tunnel));
    let wanted = balancing.wanted.get_mut(&service).unwrap();
    wanted.servers.get_mut(&(node(1), 80)).unwrap().method = Method::Masq;
    assert_eq!(method(&balancing), None);
}

#[test]
fn connections_are_brought_to_their_end_after_their_processes() {
    let service = SERVICES[0].parse().unwrap();
    let server = Server {
        method: Method::Route,
        share: Share::Weight(1),
    };
    let wanted = |nodes: &[u8]| {
        let servers = nodes.iter().map(|number| ((node(*number), 80), server));
        let scheduler = None;
        let servers = servers.collect();
        BTreeMap::from([(service, Wanted { scheduler, servers })])
    };
    let mut balancing = Balancing {
        wanted: wanted(&[1, 2]),
        addresses: addresses(),
        there: (1..=4).map(address).collect(),
        leaving: Vec::new(),
    };
    let mut services = Vec::new();
    let mut lingering = Lingering::default();
    let start = Instant::now();
    let mut look = |balancing: &Balancing, services: &mut Vec<AgreedService>, after: Duration| {
        for list in changes(balancing, services, &mut lingering, start + after) {
            carry_out(services, &list);
        }
        let servers = services[0].servers.iter();
        let mut servers: Vec<_> = servers
            .map(|(name, spec)| (name.addr, spec.weight))
            .collect();
        servers.sort_unstable();
        servers
    };
    let second = Duration::from_secs(1);
    let both = vec![(address(1), 1), (address(2), 1)];
    let without = vec![(address(1), 1), (address(2), 0)];
    assert_eq!(look(&balancing, &mut services, Duration::ZERO), both);
    balancing.wanted = wanted(&[1]);
    assert_eq!(look(&balancing, &mut services, second), without);
    assert_eq!(look(&balancing, &mut services, LINGER), without);
    // It comes back, and goes again: its time begins anew.
    balancing.wanted = wanted(&[1, 2]);
    assert_eq!(look(&balancing, &mut services, LINGER + second), both);
    balancing.wanted = wanted(&[1]);
    let again = LINGER + second * 2;
    assert_eq!(look(&balancing, &mut services, again), without);
    assert_eq!(look(&balancing, &mut services, again + LINGER), both[..1]);
    // A node without power has no connections.
    balancing.wanted = wanted(&[1, 2]);
    assert_eq!(look(&balancing, &mut services, again + LINGER), both);
    balancing.wanted = wanted(&[1]);
    balancing.there.remove(&address(2));
    assert_eq!(look(&balancing, &mut services, again + LINGER), both[..1]);
}
