//! Which virtual service a packet is for.

use ssi_abi::service::{Service, ServiceKey, scheduler};

use crate::maps::{SERVICE_INDEX, SERVICES};
use crate::parse::Parsed;

/// The service of a packet, by address and port, else by address alone; with its index.
#[inline(always)]
pub fn find(parsed: &Parsed) -> Option<(u32, &'static Service)> {
    let mut key = ServiceKey {
        addr: parsed.destination,
        port: parsed.destination_port,
        protocol: parsed.protocol,
        pad: 0,
    };
    let index = index(&key).or_else(|| {
        key.port = 0;
        index(&key)
    })?;
    let service = SERVICES.get(index)?;
    (service.scheduler != scheduler::NONE).then_some((index, service))
}

#[inline(always)]
fn index(key: &ServiceKey) -> Option<u32> {
    // SAFETY: read at once, before anything could replace it.
    unsafe { SERVICE_INDEX.get(key).copied() }
}
