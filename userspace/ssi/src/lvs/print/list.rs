use std::fmt::Write;

use ssi_api::lvs::{Counters, Method, Protocol, Rates, ServerView, ServiceName, ServiceView};

use super::super::grammar::{List, View};
use super::super::names::Printed;
use super::super::save;
use super::{Templates, service_name};

/// `-L`, with the columns of `how.view`. `size` is how many connections the tables hold,
/// `templates` how many clients stay with which server (for `--persistent-conn`).
pub(crate) fn list(
    services: &[ServiceView],
    size: u32,
    templates: &Templates,
    how: &List,
    names: &Printed,
) -> String {
    let mut text = format!(
        "SSI Virtual Server version {} (size={size})\n",
        env!("CARGO_PKG_VERSION")
    );
    title(&mut text, how.view);
    for view in services {
        service(&mut text, view, how, names);
        let protocol = match view.service {
            ServiceName::Address { protocol, .. } => protocol,
            ServiceName::Mark { .. } => Protocol::Tcp,
        };
        for row in &view.servers {
            let name = names.endpoint(row.server.addr, row.server.port, protocol);
            let _ = write!(text, "  -> {name:<28}");
            let clients = templates.count(view, row);
            server(&mut text, row, clients, how);
            text.push('\n');
        }
    }
    text
}

fn title(text: &mut String, view: View) {
    const PROT: &str = "Prot LocalAddress:Port";
    let remote = "  -> RemoteAddress:Port";
    let _ = match view {
        View::Stats => writeln!(
            text,
            "{PROT:<33} {:>8} {:>8} {:>8} {:>8} {:>8}\n{remote}",
            "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"
        ),
        View::Rate => writeln!(
            text,
            "{PROT:<33} {:>8} {:>8} {:>8} {:>8} {:>8}\n{remote}",
            "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"
        ),
        View::Thresholds => writeln!(
            text,
            "{PROT:<33} {:<10} {:<10} {:<10} {:<10}\n{remote}",
            "Uthreshold", "Lthreshold", "ActiveConn", "InActConn"
        ),
        View::Persistent => writeln!(
            text,
            "{PROT:<33} {:<9} {:<11} {:<10} {:<10}\n{remote}",
            "Weight", "PersistConn", "ActiveConn", "InActConn"
        ),
        View::Tunnels => writeln!(
            text,
            "{PROT} Scheduler Flags\n\
             {remote:<34}Forward TunnelInfo    Weight ActiveConn InActConn"
        ),
        _ => writeln!(
            text,
            "{PROT} Scheduler Flags\n{remote:<34}Forward Weight ActiveConn InActConn"
        ),
    };
}

fn service(text: &mut String, view: &ServiceView, how: &List, names: &Printed) {
    let name = service_name(view.service, names);
    match how.view {
        View::Stats => {
            let _ = write!(text, "{name:<33}");
            counters(text, &view.counters, how.exact);
        }
        View::Rate => {
            let _ = write!(text, "{name:<33}");
            rates(text, &view.rates, how.exact);
        }
        _ => {
            let _ = write!(text, "{name} {}", view.spec.scheduler);
            service_flags(text, view);
        }
    }
    text.push('\n');
}

fn service_flags(text: &mut String, view: &ServiceView) {
    let flags = save::flags(&view.spec);
    if !flags.is_empty() {
        let _ = write!(text, " ({flags})");
    }
    if let Some(seconds) = view.spec.persistent {
        let _ = write!(text, " persistent {seconds}");
    }
    if let Some(prefix) = view.spec.prefix {
        let _ = write!(text, " mask {}", save::mask(view.service, prefix));
    }
    if view.spec.one_packet {
        text.push_str(" ops");
    }
    for member in &view.spec.members {
        let _ = write!(text, " member {}", save::member(member));
    }
}

fn server(text: &mut String, row: &ServerView, clients: usize, how: &List) {
    let (spec, active, inactive) = (&row.spec, row.active, row.inactive);
    let forward = if row.local {
        "Local"
    } else {
        spec.method.name()
    };
    let _ = match how.view {
        View::Stats => return counters(text, &row.counters, how.exact),
        View::Rate => return rates(text, &row.rates, how.exact),
        View::Thresholds => write!(
            text,
            " {:<10} {:<10} {active:<10} {inactive:<10}",
            spec.upper, spec.lower
        ),
        View::Persistent => write!(
            text,
            " {:<9} {clients:<11} {active:<10} {inactive:<10}",
            spec.weight
        ),
        View::Tunnels => {
            let tunnel = match (spec.method, row.server.addr.is_ipv6()) {
                (Method::Tunnel, false) => "ipip",
                (Method::Tunnel, true) => "ip6ip6",
                _ => "",
            };
            write!(
                text,
                " {forward:<7} {tunnel:<13} {:<6} {active:<10} {inactive:<10}",
                spec.weight
            )
        }
        _ => write!(
            text,
            " {forward:<7} {:<6} {active:<10} {inactive:<10}",
            spec.weight
        ),
    };
}

fn counters(text: &mut String, c: &Counters, exact: bool) {
    for n in [
        c.connections,
        c.in_packets,
        c.out_packets,
        c.in_bytes,
        c.out_bytes,
    ] {
        large(text, n, exact);
    }
}

fn rates(text: &mut String, r: &Rates, exact: bool) {
    for n in [
        r.connections,
        r.in_packets,
        r.out_packets,
        r.in_bytes,
        r.out_bytes,
    ] {
        // Rates are finite and not negative; `as` saturates.
        large(text, n.round() as u64, exact);
    }
}

/// A number in a column 9 wide: in K, M, G or T from 100 million on, unless `exact`.
fn large(text: &mut String, n: u64, exact: bool) {
    let (n, unit) = match n {
        _ if exact => (n, ""),
        0..100_000_000 => (n, ""),
        100_000_000..1_000_000_000 => (n / 1_000, "K"),
        1_000_000_000..100_000_000_000 => (n / 1_000_000, "M"),
        100_000_000_000..100_000_000_000_000 => (n / 1_000_000_000, "G"),
        _ => (n / 1_000_000_000_000, "T"),
    };
    let number = format!("{n}{unit}");
    // An exact number may be wider than its column, but never touches the one before.
    let _ = write!(text, " {number:>8}");
}
