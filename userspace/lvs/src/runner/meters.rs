//! Totals and rates of services and servers, read from the programs' counts.

use std::collections::HashMap;

use ssi_abi::server::Load;
use ssi_abi::stats::Stats;
use ssi_api::lvs::{Counters, Rates};
use ssi_loader::LoadError;
use ssi_loader::map::{Maps, PerCpu};
use tracing::warn;

use crate::core::{Meter, Model, Seen, Snapshot, Write};

/// A meter for each service and server that has been counted yet.
#[derive(Debug, Default)]
pub(super) struct Meters {
    services: HashMap<u32, Meter>,
    servers: HashMap<u32, Meter>,
}

impl Meters {
    /// Takes what was counted before as given: rates start from it.
    pub(super) fn start(&mut self, model: &Model, maps: &Maps) -> Result<(), LoadError> {
        self.each(model, maps, Meter::start)
    }

    /// Takes the totals, `seconds` after the last time.
    pub(super) fn tick(
        &mut self,
        model: &Model,
        maps: &Maps,
        seconds: f64,
    ) -> Result<(), LoadError> {
        self.each(model, maps, |meter, now| meter.tick(now, seconds))
    }

    /// Follows what the core decided: indices with new owners, and totals to be zeroed.
    pub(super) fn follow(
        &mut self,
        write: &Write,
        model: &Model,
        maps: &Maps,
    ) -> Result<(), LoadError> {
        match write {
            Write::ResetServer(index) => {
                self.servers.remove(&u32::from(*index));
            }
            Write::ResetService(index) => {
                self.services.remove(index);
            }
            Write::Zero(None) => self.each(model, maps, Meter::zero)?,
            Write::Zero(Some(service)) => {
                let meter = self.services.entry(*service).or_default();
                meter.zero(snapshot(&maps.service_stats, *service)?);
                for (_, server) in model.servers().filter(|(of, _)| of == service) {
                    let meter = self.servers.entry(server.into()).or_default();
                    meter.zero(snapshot(&maps.server_stats, server.into())?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn each(
        &mut self,
        model: &Model,
        maps: &Maps,
        mut apply: impl FnMut(&mut Meter, Snapshot),
    ) -> Result<(), LoadError> {
        let (services, servers) = indices(model);
        read(&maps.service_stats, &services, |index, now| {
            apply(self.services.entry(index).or_default(), now);
        })?;
        read(&maps.server_stats, &servers, |index, now| {
            apply(self.servers.entry(index).or_default(), now);
        })
    }
}

/// The indices in use, in order.
fn indices(model: &Model) -> (Vec<u32>, Vec<u32>) {
    let mut services = model.service_indices().collect::<Vec<_>>();
    let mut servers = model
        .servers()
        .map(|(_, server)| u32::from(server))
        .collect::<Vec<_>>();
    services.sort_unstable();
    servers.sort_unstable();
    (services, servers)
}

/// Shows the totals of some indices (sorted): one by one if they are few, else by reading
/// the map as a whole, which takes one call for thousands.
fn read(
    stats: &PerCpu<Stats>,
    indices: &[u32],
    mut each: impl FnMut(u32, Snapshot),
) -> Result<(), LoadError> {
    if indices.len() < stats.len() as usize / 16 {
        for index in indices {
            each(*index, snapshot(stats, *index)?);
        }
        return Ok(());
    }
    stats.for_each(|index, cpus| {
        if indices.binary_search(&index).is_ok() {
            each(index, Snapshot::of(cpus));
        }
    })
}

fn snapshot(stats: &PerCpu<Stats>, index: u32) -> Result<Snapshot, LoadError> {
    Ok(Snapshot::of(&stats.get(index)?))
}

/// What a list is made of: the meters, and the maps as they are now.
pub(super) struct Now<'a> {
    pub meters: &'a Meters,
    pub maps: &'a Maps,
}

impl Now<'_> {
    fn shown(meters: &HashMap<u32, Meter>, stats: &PerCpu<Stats>, index: u32) -> (Counters, Rates) {
        let meter = meters.get(&index).copied().unwrap_or_default();
        match snapshot(stats, index) {
            Ok(now) => (meter.counters(now), meter.rates()),
            Err(error) => {
                warn!("{error}");
                (Counters::default(), meter.rates())
            }
        }
    }
}

impl Seen for Now<'_> {
    fn service(&self, index: u32) -> (Counters, Rates) {
        Self::shown(&self.meters.services, &self.maps.service_stats, index)
    }

    fn server(&self, index: u16) -> (Counters, Rates) {
        Self::shown(&self.meters.servers, &self.maps.server_stats, index.into())
    }

    fn load(&self, index: u16) -> Load {
        self.maps.loads.get(index.into())
    }
}
