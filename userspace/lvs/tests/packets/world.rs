//! What is configured, as `ssi lvs` would: commands for the scheduler's core, and the
//! surroundings that it is told of.

use std::net::IpAddr;

use ssi_api::lvs::{
    Command, Method, PortRange, Protocol, Scheduler, ServerName, ServerSpec, ServiceFlags,
    ServiceName, ServiceSpec,
};
use ssi_lvs::core::{Environment, Route};

use crate::topology::{INSIDE_MAC, Interfaces, OUTSIDE_MAC, Real};

/// Everything that is configured.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub services: Vec<ServiceDef>,
    /// Whose tunnels we open.
    pub peers: Vec<IpAddr>,
}

/// A virtual service.
#[derive(Clone, Debug)]
pub struct ServiceDef {
    pub name: ServiceName,
    pub spec: ServiceSpec,
    /// None: its address is no cluster address, so whoever has a service on it directs it.
    pub director: Option<bool>,
    pub servers: Vec<ServerDef>,
}

/// A real server of a service.
#[derive(Clone, Copy, Debug)]
pub struct ServerDef {
    pub real: Real,
    pub method: Method,
    /// NAT: its own port, if it is another than the service's.
    pub port: Option<u16>,
    pub weight: u32,
    pub mtu: u16,
    pub way: Way,
    /// It is this node.
    pub local: bool,
    /// It is a cluster node.
    pub node: bool,
}

/// What is known of the way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Known,
    /// All but its MAC address.
    NoNeighbour,
    Unknown,
}

pub fn tcp(addr: IpAddr, port: u16) -> ServiceName {
    ServiceName::Address {
        protocol: Protocol::Tcp,
        addr,
        port,
    }
}

pub fn udp(addr: IpAddr, port: u16) -> ServiceName {
    ServiceName::Address {
        protocol: Protocol::Udp,
        addr,
        port,
    }
}

impl World {
    /// Adds a service, directed by this node, scheduled by turns.
    pub fn service(mut self, name: ServiceName) -> Self {
        let spec = ServiceSpec {
            scheduler: Scheduler::Rr,
            ..ServiceSpec::default()
        };
        self.services.push(ServiceDef {
            name,
            spec,
            director: None,
            servers: Vec::new(),
        });
        self
    }

    /// Adds a service of a group of ports.
    pub fn group(self, mark: u32, members: &[PortRange]) -> Self {
        let v6 = members[0].addr.is_ipv6();
        self.service(ServiceName::Mark { mark, v6 })
            .spec(|spec| spec.members = members.to_vec())
    }

    fn last(&mut self) -> &mut ServiceDef {
        self.services.last_mut().expect("a service first")
    }

    fn spec(mut self, change: impl FnOnce(&mut ServiceSpec)) -> Self {
        change(&mut self.last().spec);
        self
    }

    pub fn scheduler(self, scheduler: Scheduler) -> Self {
        self.spec(|spec| spec.scheduler = scheduler)
    }

    pub fn slot(self) -> Self {
        self.scheduler(Scheduler::Slot)
    }

    pub fn persistent(self, seconds: u32, prefix: u8) -> Self {
        self.spec(|spec| (spec.persistent, spec.prefix) = (Some(seconds), Some(prefix)))
    }

    pub fn one_packet(self) -> Self {
        self.spec(|spec| spec.one_packet = true)
    }

    pub fn flags(self, flags: ServiceFlags) -> Self {
        self.spec(|spec| spec.flags = flags)
    }

    /// Its address is the cluster's, and another node directs it.
    pub fn directed_elsewhere(mut self) -> Self {
        self.last().director = Some(false);
        self
    }

    /// Adds a server to the last service.
    pub fn server(mut self, server: ServerDef) -> Self {
        self.last().servers.push(server);
        self
    }

    pub fn peer(mut self, addr: IpAddr) -> Self {
        self.peers.push(addr);
        self
    }

    /// The commands that configure all this.
    pub fn commands(&self) -> Vec<Command> {
        let add = |service: &ServiceDef| {
            let mut commands = vec![Command::AddService {
                service: service.name,
                spec: service.spec.clone(),
            }];
            commands.extend(service.servers.iter().map(|server| Command::AddServer {
                service: service.name,
                server: server.name(&service.name),
                spec: server.spec(),
            }));
            commands
        };
        self.services.iter().flat_map(add).collect()
    }

    /// The node's surroundings.
    pub fn environment(&self, interfaces: &Interfaces) -> Environment {
        let mut environment = Environment::default();
        for service in &self.services {
            if let (Some(director), ServiceName::Address { addr, .. }) =
                (service.director, service.name)
            {
                environment.cvips.insert(addr, director);
            }
            for server in &service.servers {
                server.tell(&mut environment, interfaces);
            }
        }
        environment
    }
}

impl Real {
    const fn by(self, method: Method) -> ServerDef {
        ServerDef {
            real: self,
            method,
            port: None,
            weight: 1,
            mtu: 0,
            way: Way::Known,
            local: false,
            node: false,
        }
    }

    /// Reached by direct routing.
    pub const fn by_direct(self) -> ServerDef {
        self.by(Method::Route)
    }

    /// Reached by a tunnel.
    pub const fn by_tunnel(self) -> ServerDef {
        self.by(Method::Tunnel)
    }

    /// Reached by NAT.
    pub const fn by_nat(self) -> ServerDef {
        self.by(Method::Masq)
    }
}

impl ServerDef {
    pub const fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// NAT to another port.
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    pub const fn mtu(mut self, mtu: u16) -> Self {
        self.mtu = mtu;
        self
    }

    pub const fn local(mut self) -> Self {
        self.local = true;
        self
    }

    pub const fn node(mut self) -> Self {
        self.node = true;
        self
    }

    pub const fn way(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// What it is known by within a service.
    pub fn name(&self, service: &ServiceName) -> ServerName {
        let own = match service {
            ServiceName::Address { port, .. } => *port,
            ServiceName::Mark { .. } => 0,
        };
        ServerName {
            addr: self.real.addr,
            port: self.port.unwrap_or(own),
        }
    }

    pub fn spec(&self) -> ServerSpec {
        ServerSpec {
            method: self.method,
            weight: self.weight,
            ..ServerSpec::default()
        }
    }

    /// Enters it into the surroundings.
    pub fn tell(&self, environment: &mut Environment, interfaces: &Interfaces) {
        let addr = self.real.addr;
        if self.local {
            environment.own.insert(addr);
        }
        if self.node {
            environment.nodes.insert(addr);
        }
        let (ifindex, own_mac) = if self.real.outside {
            (interfaces.outside, OUTSIDE_MAC)
        } else {
            (interfaces.inside, INSIDE_MAC)
        };
        if self.way != Way::Unknown {
            let route = Route {
                ifindex,
                own_mac,
                next_hop: (self.way == Way::Known).then_some(self.real.mac),
                source: self.real.source(),
                mtu: self.mtu,
            };
            environment.routes.insert(addr, route);
        }
    }
}
