//! Carrying out what the core decided: writes to the kernel's maps.

use ssi_abi::server::Server;
use ssi_abi::service::{Service, ServiceKey};
use ssi_abi::stats::Stats;
use ssi_loader::LoadError;
use ssi_loader::map::Maps;

use crate::core::Write;

/// Writes of one kind, collected for one call to the kernel.
#[derive(Default)]
struct Run<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

impl<K, V> Run<K, V> {
    fn push(&mut self, key: K, value: V) {
        self.keys.push(key);
        self.values.push(value);
    }

    fn flush(
        &mut self,
        write: impl FnOnce(&[K], &[V]) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let result = write(&self.keys, &self.values);
        self.keys.clear();
        self.values.clear();
        result
    }
}

/// Consecutive writes of one kind; the order of different kinds is kept, because packets
/// look at the maps meanwhile.
#[derive(Default)]
struct Runs {
    entries: Vec<(u32, Vec<u32>)>,
    servers: Run<u32, Server>,
    services: Run<u32, Service>,
    keys: Run<ServiceKey, u32>,
    removed: Run<ServiceKey, ()>,
    filter: Run<u32, u32>,
}

impl Runs {
    fn flush(&mut self, maps: &Maps) -> Result<(), LoadError> {
        maps.table.write(&std::mem::take(&mut self.entries))?;
        self.servers
            .flush(|keys, values| maps.servers.set_many(keys, values))?;
        self.services
            .flush(|keys, values| maps.services.set_many(keys, values))?;
        self.keys
            .flush(|keys, values| maps.service_index.insert_many(keys, values))?;
        self.removed
            .flush(|keys, _| maps.service_index.remove_many(keys))?;
        self.filter
            .flush(|keys, values| maps.addrs.set_many(keys, values))
    }
}

/// Carries out the writes in their order.
///
/// # Errors
/// The kernel refused one; those before it are done, those after it are not.
pub fn install(maps: &Maps, writes: Vec<Write>) -> Result<(), LoadError> {
    let mut runs = Runs::default();
    let mut last = None;
    for write in writes {
        let kind = std::mem::discriminant(&write);
        if last.replace(kind) != Some(kind) {
            runs.flush(maps)?;
        }
        match write {
            Write::ResetServer(index) => {
                let index = u32::from(index);
                maps.loads.clear(index);
                maps.server_stats.fill(index, &Stats::default())?;
            }
            Write::ResetService(index) => {
                maps.cursors.set(index, &0)?;
                maps.service_stats.fill(index, &Stats::default())?;
            }
            Write::Server(index, server) => runs.servers.push(index.into(), server),
            Write::Entries(first, entries) => runs.entries.push((first, entries)),
            Write::Service(index, service) => runs.services.push(index, service),
            Write::Key(key, index) => runs.keys.push(key, index),
            Write::RemoveKey(key) => runs.removed.push(key, ()),
            Write::Filter(word, bits) => runs.filter.push(word, bits),
            Write::Settings(settings) => maps.settings.set(0, &settings)?,
            // Only what is shown; the meter's business.
            Write::Zero(_) => {}
        }
    }
    runs.flush(maps)
}
