//! From what virtual services are to be to the commands that make them so. Pure.

mod linger;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

use ssi_api::lvs::{Command, Method, Scheduler, ServerName, ServerSpec, ServiceName, ServiceSpec};
use ssi_keepalive::Node;
use ssi_keepalive::balance::{Server, Share, Wanted};
use ssi_lvs::core::AgreedService;

use crate::keepalive::Balancing;

pub(super) use self::linger::Lingering;

/// The commands that are due, for each virtual service that has any.
pub(super) fn changes(
    balancing: &Balancing,
    configured: &[AgreedService],
    lingering: &mut Lingering,
    now: Instant,
) -> Vec<Vec<Command>> {
    let mut lists = Vec::new();
    let mut wanted_names = BTreeSet::new();
    for (service, wanted) in &balancing.wanted {
        let name = service.name();
        wanted_names.insert(name);
        let is = configured.iter().find(|is| is.name == name);
        let mut list = Vec::new();
        list.extend(service_itself(name, wanted, is));
        let stays = |server| lingering.stays((name, server), &balancing.there, now);
        list.extend(servers(name, wanted, is, &balancing.addresses, stays));
        lists.push(list);
    }
    lingering.forget_others();
    let others = configured.iter();
    let others = others.filter(|is| !wanted_names.contains(&is.name));
    lists.extend(others.map(forgotten));
    lists.retain(|list| !list.is_empty());
    lists
}

fn service_itself(
    name: ServiceName,
    wanted: &Wanted,
    is: Option<&AgreedService>,
) -> Option<Command> {
    let Some(is) = is else {
        let spec = ServiceSpec {
            scheduler: wanted.scheduler.unwrap_or(Scheduler::Slot),
            supervised: true,
            ..ServiceSpec::default()
        };
        return Some(Command::AddService {
            service: name,
            spec,
        });
    };
    // An operator's goes on as the operator wants it.
    let scheduler = wanted.scheduler.filter(|_| is.spec.supervised)?;
    (scheduler != is.spec.scheduler).then(|| Command::EditService {
        service: name,
        spec: ServiceSpec {
            scheduler,
            ..is.spec.clone()
        },
    })
}

/// In a virtual service that a process names, the servers that are nodes are supervision's;
/// all others are the operator's.
fn servers(
    service: ServiceName,
    wanted: &Wanted,
    is: Option<&AgreedService>,
    addresses: &BTreeMap<Node, Vec<IpAddr>>,
    mut stays: impl FnMut(ServerName) -> bool,
) -> Vec<Command> {
    let is: BTreeMap<ServerName, ServerSpec> = is
        .map(|is| is.servers.iter().copied().collect())
        .unwrap_or_default();
    let mut list = Vec::new();
    let mut stay = BTreeSet::new();
    for ((node, port), server) in &wanted.servers {
        let addresses = addresses.get(node).map_or(&[][..], Vec::as_slice);
        let Some((server_name, method)) = reach(service, addresses, *port, server) else {
            continue;
        };
        stay.insert(server_name);
        let old = is.get(&server_name).copied();
        let weight = match (server.share, old) {
            (Share::Weight(weight), _) => weight,
            (Share::Nothing, Some(_)) => 0,
            (Share::Same, Some(old)) => old.weight,
            (Share::Nothing | Share::Same, None) => continue,
        };
        let spec = ServerSpec {
            method,
            weight,
            supervised: true,
            ..old.unwrap_or_default()
        };
        match old {
            None => list.push(Command::AddServer {
                service,
                server: server_name,
                spec,
            }),
            Some(old) if old != spec => list.push(Command::EditServer {
                service,
                server: server_name,
                spec,
            }),
            Some(_) => {}
        }
    }
    let is_node = |addr: IpAddr| addresses.values().flatten().any(|own| *own == addr);
    let gone = is.iter().filter(|(server, spec)| {
        !stay.contains(*server) && (spec.supervised || is_node(server.addr))
    });
    for (&server, &spec) in gone {
        if !spec.supervised || !stays(server) {
            list.push(Command::DeleteServer { service, server });
        } else if spec.weight != 0 {
            let spec = ServerSpec { weight: 0, ..spec };
            list.push(Command::EditServer {
                service,
                server,
                spec,
            });
        }
    }
    list
}

/// Where a node is reached, and how: by a tunnel, if it has no address of the service's
/// family; none: it can't be.
fn reach(
    service: ServiceName,
    addresses: &[IpAddr],
    port: u16,
    server: &Server,
) -> Option<(ServerName, Method)> {
    let v4 = matches!(service, ServiceName::Address { addr, .. } if addr.is_ipv4());
    let same = addresses.iter().find(|addr| addr.is_ipv4() == v4);
    let (addr, method) = match (same, server.method) {
        (Some(addr), method) => (*addr, method),
        (None, Method::Masq) => return None,
        (None, _) => (*addresses.first()?, Method::Tunnel),
    };
    Some((ServerName { addr, port }, method))
}

/// No process names it any more: what supervision put in goes.
fn forgotten(is: &AgreedService) -> Vec<Command> {
    let service = is.name;
    if is.spec.supervised && is.servers.iter().all(|(_, spec)| spec.supervised) {
        return vec![Command::DeleteService { service }];
    }
    let ours = is.servers.iter().filter(|(_, spec)| spec.supervised);
    ours.map(|(server, _)| Command::DeleteServer {
        service,
        server: *server,
    })
    .collect()
}

#[cfg(test)]
mod tests;
