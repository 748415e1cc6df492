//! `-S`: the tables as lines that `-R` and the real `ipvsadm -R` read.
//!
//! `--member`, `slot` and `slot-track` are ours; everything else is ipvsadm's.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

use ssi_api::lvs::{
    Method, PortRange, Protocol, ServerView, ServiceName, ServiceSpec, ServiceView,
};

use super::names::Printed;

/// Every rule, a line each.
pub(crate) fn rules(services: &[ServiceView], names: &Printed) -> String {
    let mut text = String::new();
    for view in services {
        let service = service_option(view.service, names);
        let _ = writeln!(text, "-A {service}{}", service_options(view));
        for server in &view.servers {
            let _ = writeln!(text, "-a {service} {}", server_options(view, server, names));
        }
    }
    text
}

fn service_option(service: ServiceName, names: &Printed) -> String {
    match service {
        ServiceName::Address {
            protocol,
            addr,
            port,
        } => {
            let option = match protocol {
                Protocol::Tcp => "-t",
                Protocol::Udp => "-u",
            };
            format!("{option} {}", names.endpoint(addr, port, protocol))
        }
        ServiceName::Mark { mark, v6: false } => format!("-f {mark}"),
        ServiceName::Mark { mark, v6: true } => format!("-f {mark} -6"),
    }
}

fn service_options(view: &ServiceView) -> String {
    let spec = &view.spec;
    let mut text = format!(" -s {}", spec.scheduler);
    if let Some(seconds) = spec.persistent {
        let _ = write!(text, " -p {seconds}");
    }
    if let Some(prefix) = spec.prefix {
        let _ = write!(text, " -M {}", mask(view.service, prefix));
    }
    if spec.one_packet {
        text.push_str(" -o");
    }
    let flags = flags(spec);
    if !flags.is_empty() {
        let _ = write!(text, " -b {flags}");
    }
    for range in &spec.members {
        let _ = write!(text, " --member {}", member(range));
    }
    text
}

/// A member of a mark as `--member` takes it: in numbers, because a service's name may
/// itself have a dash in it.
pub(crate) fn member(range: &PortRange) -> String {
    let protocol = match range.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    let first = SocketAddr::new(range.addr, range.first);
    if range.last == range.first {
        format!("{protocol}:{first}")
    } else {
        format!("{protocol}:{first}-{}", range.last)
    }
}

/// A netmask as `-M` takes it.
pub(crate) fn mask(service: ServiceName, prefix: u8) -> String {
    let v6 = match service {
        ServiceName::Address { addr, .. } => addr.is_ipv6(),
        ServiceName::Mark { v6, .. } => v6,
    };
    if v6 {
        return prefix.to_string();
    }
    let ones = u32::MAX.checked_shl(32 - u32::from(prefix.min(32)));
    Ipv4Addr::from(ones.unwrap_or(0)).to_string()
}

/// Scheduler flags as `-b` takes them.
pub(crate) fn flags(spec: &ServiceSpec) -> String {
    let scheduler = spec.scheduler.name();
    [
        (spec.flags.fallback, "fallback"),
        (spec.flags.port, "port"),
        (spec.flags.track, "track"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| format!("{scheduler}-{name}"))
    .collect::<Vec<_>>()
    .join(",")
}

fn server_options(view: &ServiceView, server: &ServerView, names: &Printed) -> String {
    let protocol = match view.service {
        ServiceName::Address { protocol, .. } => protocol,
        ServiceName::Mark { .. } => Protocol::Tcp,
    };
    let method = match server.spec.method {
        Method::Route => "-g",
        Method::Tunnel => "-i",
        Method::Masq => "-m",
    };
    let mut text = format!(
        "-r {} {method} -w {}",
        names.endpoint(server.server.addr, server.server.port, protocol),
        server.spec.weight
    );
    for (option, threshold) in [("-x", server.spec.upper), ("-y", server.spec.lower)] {
        if threshold != 0 {
            let _ = write!(text, " {option} {threshold}");
        }
    }
    text
}
