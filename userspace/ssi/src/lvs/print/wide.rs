use comfy_table::{Table, presets};
use ssi_api::lvs::{Protocol, ServiceName, ServiceView};

use super::super::names::Printed;
use super::service_name;

/// `-L -o wide`: what ipvsadm has no columns for, too.
pub(crate) fn wide(services: &[ServiceView], names: &Printed) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "SERVICE",
        "SCHEDULER",
        "DIRECTOR",
        "SERVER",
        "FORWARD",
        "WEIGHT",
        "ACTIVE",
        "INACTIVE",
        "SLOTS",
        "REACHABLE",
        "CONNS",
        "CPS",
    ]);
    for view in services {
        let protocol = match view.service {
            ServiceName::Address { protocol, .. } => protocol,
            ServiceName::Mark { .. } => Protocol::Tcp,
        };
        let mut row = vec![
            service_name(view.service, names),
            view.spec.scheduler.to_string(),
            if view.director { "here" } else { "elsewhere" }.to_owned(),
        ];
        if view.servers.is_empty() {
            table.add_row(row);
            continue;
        }
        for server in &view.servers {
            row.extend([
                names.endpoint(server.server.addr, server.server.port, protocol),
                if server.local {
                    format!("{} (local)", server.spec.method)
                } else {
                    server.spec.method.to_string()
                },
                server.spec.weight.to_string(),
                server.active.to_string(),
                server.inactive.to_string(),
                server.slots.map_or("-".to_owned(), |n| n.to_string()),
                if server.reachable { "yes" } else { "no" }.to_owned(),
                server.counters.connections.to_string(),
                format!("{:.1}", server.rates.connections),
            ]);
            table.add_row(std::mem::take(&mut row));
            row = vec![String::new(); 3];
        }
    }
    crate::output::trimmed(&table)
}
