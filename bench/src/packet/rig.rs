//! A packet path of the benchmark's own, filled by the scheduler's own core.

use std::net::IpAddr;

use anyhow::{Context as _, Result};
use ssi_abi::link::{self, Link};
use ssi_api::lvs::{
    Command, Method, Protocol, Scheduler, ServerName, ServerSpec, ServiceName, ServiceSpec,
};
use ssi_loader::map::possible_cpus;
use ssi_loader::{Net, Options, Sizes, kernel};
use ssi_lvs::core::{Environment, Model, Route, Tuning};
use ssi_lvs::runner::install;

use super::frame::TO;

/// Connections that the tables have room for on each CPU: twice what the benchmarks open.
/// The kernel divides a table evenly among all CPUs that the machine could have, and
/// everything here happens on one.
pub(crate) const SHARE: u32 = 1 << 19;
/// Entries of the scheduling tables: room for four slot tables and their successors.
const TABLE: u32 = 1 << 19;
/// Port of every service.
pub(crate) const PORT: u16 = 80;

/// A virtual service to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub vip: IpAddr,
    pub scheduler: Scheduler,
    pub method: Method,
    /// How many real servers.
    pub servers: u8,
}

/// Where a packet that is forwarded goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub ifindex: u32,
    pub own_mac: [u8; 6],
    pub next_hop: [u8; 6],
}

/// Frames come in on this interface, which has the address that they are for.
pub(crate) fn is_at(net: &Net, ifindex: u32) -> Result<()> {
    let link = Link {
        ifindex,
        mac: TO,
        pad: 0,
    };
    Ok(net.maps().links.set(link::place(ifindex), &link)?)
}

/// Loads a packet path with these services.
pub(crate) fn open(services: &[Service], way: Way) -> Result<Net> {
    let cpus = u32::try_from(possible_cpus())?;
    let connections = SHARE
        .checked_mul(cpus)
        .with_context(|| format!("a machine of {cpus} CPUs is too large for this benchmark"))?;
    let sizes = Sizes {
        conns4: connections,
        conns6: connections / 4,
        table_entries: TABLE,
    };
    let net = Net::open(&Options { pins: None, sizes })?;
    let mut model = Model::new(Tuning {
        seed: 0x5eed,
        hz: kernel::hz(),
        table_entries: TABLE,
        node: 1,
    });
    net.maps().settings.set(0, &model.settings())?;
    is_at(&net, way.ifindex)?;
    let mut environment = Environment::default();
    let mut commands = Vec::new();
    for (number, service) in (0..).zip(services) {
        let name = ServiceName::Address {
            protocol: Protocol::Tcp,
            addr: service.vip,
            port: PORT,
        };
        commands.push(Command::AddService {
            service: name,
            spec: ServiceSpec {
                scheduler: service.scheduler,
                ..ServiceSpec::default()
            },
        });
        for server in 1..=service.servers {
            let addr = address(service.vip, number, server);
            environment.routes.insert(addr, route(service.vip, way));
            commands.push(Command::AddServer {
                service: name,
                server: ServerName { addr, port: PORT },
                spec: ServerSpec {
                    method: service.method,
                    ..ServerSpec::default()
                },
            });
        }
    }
    let mut writes = model.set_environment(environment);
    writes.extend(model.apply(&commands)?);
    install(net.maps(), writes)?;
    Ok(net)
}

/// Address of a real server of service number `service`.
fn address(vip: IpAddr, service: u8, server: u8) -> IpAddr {
    if vip.is_ipv4() {
        [10, 77, service, server].into()
    } else {
        [0xfd77, 0, 0, 0, 0, 0, service.into(), server.into()].into()
    }
}

fn route(vip: IpAddr, way: Way) -> Route {
    Route {
        ifindex: way.ifindex,
        own_mac: way.own_mac,
        next_hop: Some(way.next_hop),
        source: address(vip, 0, 254),
        mtu: 1500,
    }
}
