//! From the loaded object to typed handles.

use std::os::fd::AsFd as _;

use aya::Ebpf;
use aya::maps::{Map, MapData, RingBuf};

use crate::LoadError;
use crate::map::{
    Counters, Entries, Hash, Held, Listeners, Loads, Maps, OwnNode, PerCpu, Raw, Records,
};

/// Every map of the object, by name.
pub(super) const NAMES: [&str; 23] = [
    "SETTINGS",
    "ADDRS",
    "SERVICE_INDEX",
    "SERVICES",
    "CURSORS",
    "SERVERS",
    "LOADS",
    "TABLE",
    "CONNS4",
    "CONNS6",
    "FLOWS4",
    "FRAGMENTS",
    "PEERS",
    "LINKS",
    "MEMBERS",
    "OWN",
    "LANE_WORKERS",
    "LISTENERS",
    "PEER_STATS",
    "SERVER_STATS",
    "SERVICE_STATS",
    "COUNTERS",
    "HELD",
];

pub(super) fn open(ebpf: &Ebpf) -> Result<(Maps, Held), LoadError> {
    let raw = |name| raw(ebpf, name);
    let maps = Maps {
        settings: Records::new(raw("SETTINGS")?),
        addrs: Records::new(raw("ADDRS")?),
        service_index: Hash::new(raw("SERVICE_INDEX")?),
        services: Records::new(raw("SERVICES")?),
        cursors: Records::new(raw("CURSORS")?),
        servers: Records::new(raw("SERVERS")?),
        loads: Loads::new(raw("LOADS")?)?,
        table: Entries::new(raw("TABLE")?),
        conns4: Hash::new(raw("CONNS4")?),
        conns6: Hash::new(raw("CONNS6")?),
        flows4: Records::new(raw("FLOWS4")?),
        fragments: Hash::new(raw("FRAGMENTS")?),
        peers: Hash::new(raw("PEERS")?),
        links: Records::new(raw("LINKS")?),
        members: Hash::new(raw("MEMBERS")?),
        own: OwnNode::new(raw("OWN")?)?,
        listeners: Listeners::new(raw("LISTENERS")?, Records::new(raw("LANE_WORKERS")?)),
        peer_stats: PerCpu::new(raw("PEER_STATS")?),
        server_stats: PerCpu::new(raw("SERVER_STATS")?),
        service_stats: PerCpu::new(raw("SERVICE_STATS")?),
        counters: Counters::new(PerCpu::new(raw("COUNTERS")?)),
    };
    let held = raw("HELD")?.fd;
    let ring = MapData::from_fd(held).and_then(|data| RingBuf::try_from(Map::RingBuf(data)));
    let ring = ring.map_err(|error| LoadError::refused("map HELD", &error))?;
    Ok((maps, Held::new(ring)))
}

pub(crate) fn missing(name: &'static str) -> LoadError {
    LoadError::Refused {
        what: format!("map {name}"),
        reason: "the BPF object has no such map".to_owned(),
    }
}

/// The types of key and value are the object's own: both sides are built from `ssi-abi`,
/// and pins of another ABI version are never opened. The object keeps its own descriptor,
/// which programs that are loaded later refer to.
pub(crate) fn raw(ebpf: &Ebpf, name: &'static str) -> Result<Raw, LoadError> {
    let map = ebpf.map(name).ok_or_else(|| missing(name))?;
    let data = match map {
        Map::Array(data)
        | Map::HashMap(data)
        | Map::LruHashMap(data)
        | Map::PerCpuArray(data)
        | Map::ReusePortSockArray(data)
        | Map::SockHash(data)
        | Map::RingBuf(data) => data,
        other => {
            return Err(LoadError::Refused {
                what: format!("map {name}"),
                reason: format!("unexpected kind {other:?}"),
            });
        }
    };
    let info = data
        .info()
        .map_err(|error| LoadError::refused(format!("map {name}"), &error))?;
    let fd = data
        .fd()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|source| LoadError::Map {
            map: name,
            operation: "open",
            source,
        })?;
    Ok(Raw {
        name,
        fd,
        max_entries: info.max_entries(),
    })
}
