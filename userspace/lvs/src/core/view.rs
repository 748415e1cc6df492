use ssi_abi::server::{Load, flag};
use ssi_api::lvs::{Counters, Rates, Scheduler, ServerView, ServiceName, ServiceView};

use super::model::{Model, Server, Service};
use super::schedule::slot::SlotTable;

/// What the maps and meters say, for a view.
pub trait Seen {
    /// Totals and rates of a service.
    fn service(&self, index: u32) -> (Counters, Rates);
    /// Totals and rates of a server.
    fn server(&self, index: u16) -> (Counters, Rates);
    /// Connections of a server.
    fn load(&self, index: u16) -> Load;
}

impl Model {
    /// Every service, or one, with its servers, in the order they were added.
    #[must_use]
    pub fn views(&self, only: Option<&ServiceName>, seen: &impl Seen) -> Vec<ServiceView> {
        self.order
            .values()
            .filter(|name| only.is_none_or(|only| only == *name))
            .map(|name| self.view(name, &self.services[name], seen))
            .collect()
    }

    fn view(&self, name: &ServiceName, service: &Service, seen: &impl Seen) -> ServiceView {
        let (counters, rates) = seen.service(service.index);
        let owned = service.slots.as_ref().map(SlotTable::owned);
        ServiceView {
            service: *name,
            spec: service.spec.clone(),
            director: self.directs(name, service),
            counters,
            rates,
            servers: service
                .servers
                .iter()
                .map(|server| {
                    let slots = owned
                        .as_ref()
                        .map(|o| o.get(&server.index).copied().unwrap_or(0));
                    let slots = slots.filter(|_| service.spec.scheduler == Scheduler::Slot);
                    self.server_view(server, slots, seen)
                })
                .collect(),
        }
    }

    fn server_view(&self, server: &Server, slots: Option<u32>, seen: &impl Seen) -> ServerView {
        let record = &self.installed.servers[usize::from(server.index)];
        let local = record.flags & flag::LOCAL != 0;
        let (counters, rates) = seen.server(server.index);
        let load = seen.load(server.index);
        ServerView {
            server: server.name,
            spec: server.spec,
            local,
            reachable: local || record.flags & flag::RESOLVED != 0,
            active: load.active(),
            inactive: load.inactive(),
            slots,
            counters,
            rates,
        }
    }
}
