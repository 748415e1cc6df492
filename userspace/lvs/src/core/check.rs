//! What a service or server may be, by itself.

use std::net::IpAddr;

use ssi_abi::limits;
use ssi_api::lvs::{Method, Protocol, Scheduler, ServerName, ServerSpec, ServiceName, ServiceSpec};

use super::draft::Draft;
use super::error::Reason;

/// Largest weight (ipvsadm's).
const HEAVIEST: u32 = 65_535;

pub(super) fn service(name: &ServiceName, spec: &ServiceSpec) -> Result<(), Reason> {
    let v4 = match name {
        ServiceName::Address { addr, .. } => {
            if !spec.members.is_empty() {
                return Err(Reason::Members(*name));
            }
            virtual_addr(*addr)?;
            addr.is_ipv4()
        }
        ServiceName::Mark { mark, v6 } => {
            mark_members(*mark, *v6, spec)?;
            !v6
        }
    };
    if spec.persistent == Some(0) {
        return Err(Reason::Persistence);
    }
    let widest = if v4 { 32 } else { 128 };
    if let Some(prefix) = spec.prefix
        && prefix > widest
    {
        return Err(Reason::Prefix(prefix));
    }
    let udp = match name {
        ServiceName::Address { protocol, .. } => *protocol == Protocol::Udp,
        ServiceName::Mark { .. } => spec.members.iter().all(|m| m.protocol == Protocol::Udp),
    };
    if spec.one_packet && !udp {
        return Err(Reason::OnePacket);
    }
    all_ports(name, spec)
}

/// IPVS's rule for port 0 (`ip_vs_ctl.c` refuses it without persistence): ports of one
/// client that belong together, as FTP's, must meet at one server.
fn all_ports(name: &ServiceName, spec: &ServiceSpec) -> Result<(), Reason> {
    let ServiceName::Address { port: 0, .. } = name else {
        return Ok(());
    };
    let by_client = matches!(spec.scheduler, Scheduler::Sh | Scheduler::Mh) && !spec.flags.port;
    if spec.persistent.is_none() && !by_client && spec.scheduler != Scheduler::Slot {
        return Err(Reason::AllPorts);
    }
    Ok(())
}

fn mark_members(mark: u32, v6: bool, spec: &ServiceSpec) -> Result<(), Reason> {
    if mark == 0 {
        return Err(Reason::ZeroMark);
    }
    if spec.members.is_empty() {
        return Err(Reason::NoMembers(mark));
    }
    for member in &spec.members {
        virtual_addr(member.addr)?;
        if member.first > member.last {
            return Err(Reason::Range(*member));
        }
        if member.addr.is_ipv6() != v6 {
            return Err(Reason::MemberFamily {
                mark,
                addr: member.addr,
            });
        }
    }
    Ok(())
}

fn virtual_addr(addr: IpAddr) -> Result<(), Reason> {
    match not_a_host(addr) {
        Some(what) => Err(Reason::BadVirtual(addr, what)),
        None => Ok(()),
    }
}

fn not_a_host(addr: IpAddr) -> Option<&'static str> {
    let broadcast = matches!(addr, IpAddr::V4(v4) if v4.is_broadcast());
    let mapped = matches!(addr, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    if addr.is_unspecified() {
        Some("the unspecified address")
    } else if addr.is_multicast() {
        Some("a multicast address")
    } else if broadcast {
        Some("the broadcast address")
    } else if mapped {
        Some("an IPv4-mapped address; write it as IPv4")
    } else {
        None
    }
}

pub(super) fn server(
    service: &ServiceName,
    server: &ServerName,
    spec: &ServerSpec,
) -> Result<(), Reason> {
    if spec.weight > HEAVIEST {
        return Err(Reason::Weight(spec.weight));
    }
    if spec.upper != 0 && spec.lower >= spec.upper {
        return Err(Reason::Thresholds {
            upper: spec.upper,
            lower: spec.lower,
        });
    }
    if let Some(what) = not_a_host(server.addr) {
        return Err(Reason::BadReal(server.addr, what));
    }
    let (v6, port) = match service {
        ServiceName::Address { addr, port, .. } => (addr.is_ipv6(), *port),
        // The ports of a mark are many; each packet keeps its own.
        ServiceName::Mark { v6, .. } => (*v6, 0),
    };
    let method = spec.method.name();
    if spec.method != Method::Tunnel && server.addr.is_ipv6() != v6 {
        return Err(Reason::Family {
            service: *service,
            server: *server,
            method,
        });
    }
    if spec.method != Method::Masq && server.port != port {
        return Err(Reason::Port {
            service: *service,
            server: *server,
            method,
            port,
        });
    }
    if spec.method == Method::Masq && port == 0 && server.port != 0 {
        return Err(Reason::PortOfAll {
            service: *service,
            server: *server,
        });
    }
    Ok(())
}

/// lc and wlc look at every server for each connection.
pub(super) fn comparable(name: &ServiceName, draft: &Draft) -> Result<(), Reason> {
    let most = limits::SCAN as usize;
    let compares = matches!(draft.spec.scheduler, Scheduler::Lc | Scheduler::Wlc);
    let has = draft.servers.len();
    if compares && has > most {
        let (scheduler, service) = (draft.spec.scheduler, *name);
        return Err(Reason::TooManyToCompare {
            scheduler,
            service,
            has,
            most,
        });
    }
    Ok(())
}
