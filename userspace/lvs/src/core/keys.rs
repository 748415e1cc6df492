//! The keys by which packets find a service.

use std::net::IpAddr;

use ssi_abi::service::ServiceKey;
use ssi_api::lvs::{Protocol, ServiceName, ServiceSpec};

fn key(protocol: Protocol, addr: IpAddr, port: u16) -> ServiceKey {
    ServiceKey {
        addr: addr.into(),
        port: port.to_be(),
        protocol: protocol.number(),
        pad: 0,
    }
}

/// The key of a service that is named by its address; of a mark, only what distinguishes it.
pub(super) fn own(name: &ServiceName) -> ServiceKey {
    match *name {
        ServiceName::Address {
            protocol,
            addr,
            port,
        } => key(protocol, addr, port),
        ServiceName::Mark { .. } => ServiceKey::default(),
    }
}

/// Every key of a service.
pub(super) fn all(name: &ServiceName, spec: &ServiceSpec) -> Vec<ServiceKey> {
    match name {
        ServiceName::Address { .. } => vec![own(name)],
        ServiceName::Mark { .. } => {
            let ports = |m: &ssi_api::lvs::PortRange| {
                let (protocol, addr) = (m.protocol, m.addr);
                (m.first..=m.last).map(move |port| key(protocol, addr, port))
            };
            spec.members.iter().flat_map(ports).collect()
        }
    }
}

/// The virtual addresses of a service, each once.
pub(super) fn addresses(name: &ServiceName, spec: &ServiceSpec) -> Vec<IpAddr> {
    match name {
        ServiceName::Address { addr, .. } => vec![*addr],
        ServiceName::Mark { .. } => {
            let mut addrs: Vec<_> = spec.members.iter().map(|member| member.addr).collect();
            addrs.sort_unstable();
            addrs.dedup();
            addrs
        }
    }
}
