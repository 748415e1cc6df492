//! Lists as ipvsadm prints them, column by column, so that scripts which read its output
//! read ours.

mod connections;
mod list;
mod templates;
mod wide;

pub(crate) use connections::connections;
pub(crate) use list::list;
pub(crate) use templates::Templates;
pub(crate) use wide::wide;

use ssi_api::lvs::{ServiceName, ServiceView, Timeouts};

use super::names::Printed;

/// `-L --timeout`.
pub(crate) fn timeouts(timeouts: Timeouts) -> String {
    format!(
        "Timeout (tcp tcpfin udp): {} {} {}\n",
        timeouts.tcp, timeouts.tcp_fin, timeouts.udp
    )
}

/// The order of ipvsadm: services by protocol, address and port, then by mark; servers by
/// address and port.
pub(crate) fn sort(services: &mut [ServiceView]) {
    services.sort_by_key(|view| view.service);
    for view in services {
        view.servers.sort_by_key(|server| server.server);
    }
}

/// A service's name in a list.
fn service_name(service: ServiceName, names: &Printed) -> String {
    match service {
        ServiceName::Address {
            protocol,
            addr,
            port,
        } => format!("{protocol:<4} {}", names.endpoint(addr, port, protocol)),
        ServiceName::Mark { mark, v6: false } => format!("FWM  {mark}"),
        ServiceName::Mark { mark, v6: true } => format!("FWM  {mark} IPv6"),
    }
}

#[cfg(test)]
mod tests;
