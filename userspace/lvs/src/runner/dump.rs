//! What the maps hold when the daemon comes (back).

use std::collections::HashMap;
use std::net::IpAddr;

use ssi_abi::server::flag;
use ssi_abi::service::{Service, scheduler};
use ssi_loader::LoadError;
use ssi_loader::map::Maps;

use crate::core::{Dump, Route};

/// Reads everything that the core adopts.
pub(super) fn read(maps: &Maps) -> Result<Dump, LoadError> {
    let services = maps.services.dump()?;
    let mut slots = HashMap::new();
    for (index, service) in (0..).zip(&services) {
        let (first, len) = Service::table_range(service.table);
        let within = first
            .checked_add(len)
            .is_some_and(|end| end <= maps.table.len());
        if service.scheduler == scheduler::SLOT && len > 0 && within {
            slots.insert(index, maps.table.read(first, len)?);
        }
    }
    Ok(Dump {
        services,
        servers: maps.servers.dump()?,
        keys: maps.service_index.dump()?,
        filter: maps.addrs.dump()?,
        slots,
    })
}

/// The ways to the servers as the maps have them.
pub(super) fn routes(dump: &Dump) -> HashMap<IpAddr, Route> {
    let resolved = dump
        .servers
        .iter()
        .filter(|server| server.service != 0 && server.flags & flag::RESOLVED != 0);
    resolved
        .map(|server| {
            let route = Route {
                ifindex: server.ifindex,
                own_mac: server.own_mac,
                next_hop: Some(server.next_hop),
                source: server.source.into(),
                mtu: server.mtu,
            };
            (server.addr.into(), route)
        })
        .collect()
}
