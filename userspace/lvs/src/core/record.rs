//! From the model to the records in the maps.

use ssi_abi::server::{Server as ServerRecord, flag as server_flag, method};
use ssi_abi::service::{Service as ServiceRecord, flag, persistence_mask};
use ssi_abi::{Addr, filter};
use ssi_api::lvs::{Method, Protocol, Scheduler, ServiceName};

use super::keys;
use super::model::{Model, Server, Service};
use super::schedule;

impl Model {
    /// The record of a service.
    pub(super) fn service_record(&self, name: &ServiceName, service: &Service) -> ServiceRecord {
        let spec = &service.spec;
        let (v4, mark) = match name {
            ServiceName::Address { addr, .. } => (addr.is_ipv4(), 0),
            ServiceName::Mark { mark, v6 } => (!v6, *mark),
        };
        let widest = if v4 { 32 } else { 128 };
        let prefix = spec.prefix.unwrap_or(widest);
        let seconds = spec.persistent.unwrap_or(0);
        ServiceRecord {
            key: keys::own(name),
            flags: self.service_flags(name, service),
            mark,
            persist: seconds.saturating_mul(self.tuning.hz),
            table: service
                .range
                .map_or(0, |(first, len)| u64::from(first) << 32 | u64::from(len)),
            scheduler: schedule::way(spec.scheduler),
            prefix,
            variant: schedule::variant(spec.scheduler),
            pad: [0; 5],
            mask: persistence_mask(prefix, v4),
        }
    }

    fn service_flags(&self, name: &ServiceName, service: &Service) -> u32 {
        let spec = &service.spec;
        [
            (self.directs(name, service), flag::DIRECTOR),
            (spec.one_packet, flag::ONE_PACKET),
            (spec.flags.port, flag::HASH_PORT),
            (spec.flags.fallback, flag::FALLBACK),
            (spec.flags.track, flag::TRACK),
            (has_nat(service), flag::NAT),
        ]
        .into_iter()
        .filter(|(set, _)| *set)
        .fold(0, |flags, (_, bit)| flags | bit)
    }

    /// Whether this node schedules a service.
    pub(super) fn directs(&self, name: &ServiceName, service: &Service) -> bool {
        let addrs = keys::addresses(name, &service.spec);
        addrs.into_iter().any(|addr| self.environment.directs(addr))
    }

    /// The record of a server; the generation is the index's.
    pub(super) fn server_record(
        &self,
        service: &Service,
        name: &ServiceName,
        server: &Server,
        generation: u16,
    ) -> ServerRecord {
        let addr = server.name.addr;
        let environment = &self.environment;
        let spec = &server.spec;
        let nat = spec.method == Method::Masq;
        let service_port = match name {
            ServiceName::Address { port, .. } => *port,
            ServiceName::Mark { .. } => 0,
        };
        let mut record = ServerRecord {
            addr: addr.into(),
            weight: self.absent.weight(&server.name, spec),
            service: service.index,
            // 0 where it is the packet's own anyway.
            port: if nat && server.name.port != service_port {
                server.name.port.to_be()
            } else {
                0
            },
            generation,
            method: match spec.method {
                Method::Route => method::DIRECT,
                Method::Tunnel => method::TUNNEL,
                Method::Masq => method::NAT,
            },
            ..ServerRecord::default()
        };
        let mut flags = [
            (environment.own.contains(&addr), server_flag::LOCAL),
            (server.overloaded, server_flag::OVERLOADED),
            (self.absent.down(&server.name), server_flag::DOWN),
            (
                !nat && environment.nodes.contains(&addr),
                server_flag::SECOND_CHANCE,
            ),
        ]
        .into_iter()
        .filter(|(set, _)| *set)
        .fold(0, |flags, (_, bit)| flags | bit);
        if let Some(route) = environment.routes.get(&addr) {
            record.source = route.source.into();
            record.mtu = route.mtu;
            if let Some(next_hop) = route.next_hop {
                record.ifindex = route.ifindex;
                record.own_mac = route.own_mac;
                record.next_hop = next_hop;
                flags |= server_flag::RESOLVED;
            }
        }
        record.flags = flags;
        record
    }

    /// What a service needs in the address filter.
    pub(super) fn filter_bits(&self, name: &ServiceName, service: &Service) -> Vec<(Addr, u32)> {
        let mut bits = filter::VIRTUAL;
        if self.directs(name, service) {
            bits |= filter::DIRECTED;
        }
        if remembers(service) {
            bits |= filter::CONNS;
        }
        let mut all: Vec<_> = keys::addresses(name, &service.spec)
            .into_iter()
            .map(|addr| (Addr::from(addr), bits))
            .collect();
        let nat = service
            .servers
            .iter()
            .filter(|server| server.spec.method == Method::Masq);
        all.extend(nat.map(|server| (Addr::from(server.name.addr), filter::REAL)));
        all
    }
}

pub(super) fn has_nat(service: &Service) -> bool {
    service
        .servers
        .iter()
        .any(|server| server.spec.method == Method::Masq)
}

/// Whether any connection of the service may be in the connection tables.
fn remembers(service: &Service) -> bool {
    let spec = &service.spec;
    spec.scheduler != Scheduler::Slot
        || spec.flags.track
        || spec.persistent.is_some()
        || has_nat(service)
        || service
            .slots
            .as_ref()
            .is_some_and(schedule::slot::SlotTable::unsettled)
}

/// The protocol of a record's key.
pub(super) const fn protocol(number: u8) -> Option<Protocol> {
    match number {
        6 => Some(Protocol::Tcp),
        17 => Some(Protocol::Udp),
        _ => None,
    }
}
