//! The connection tables: swept, and listed.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use ssi_abi::conn::{Conn4, Conn6, ConnKey4, ConnKey6, flag, state};
use ssi_abi::server::server_index;
use ssi_abi::{Addr, service};
use ssi_api::lvs::{ConnectionState, ConnectionView, Protocol};
use ssi_loader::map::Maps;

use super::error::LvsError;
use crate::core::Model;
use crate::core::sweep::{Entry, Fate};

fn entry4(key: &ConnKey4, conn: &Conn4) -> Entry {
    Entry {
        server: conn.server,
        seen: conn.seen,
        state: conn.state,
        flags: conn.flags,
        destination: Addr::v4(key.destination),
    }
}

fn entry6(key: &ConnKey6, conn: &Conn6) -> Entry {
    Entry {
        server: conn.server,
        seen: conn.seen,
        state: conn.state,
        flags: conn.flags,
        destination: Addr {
            words: key.destination,
        },
    }
}

/// Forgets what is over; how many established and other connections each server has.
pub(super) fn sweep(
    model: &Model,
    maps: &Maps,
    now: u32,
) -> Result<HashMap<u16, (i32, i32)>, LvsError> {
    let mut sweep = model.sweep(now);
    let (mut over4, mut over6) = (Vec::new(), Vec::new());
    maps.conns4.for_each(|key, conn| {
        if sweep.see(entry4(key, conn)) == Fate::Forget {
            over4.push(*key);
        }
    })?;
    maps.conns6.for_each(|key, conn| {
        if sweep.see(entry6(key, conn)) == Fate::Forget {
            over6.push(*key);
        }
    })?;
    // One that a packet has woken since goes too; its next packet is scheduled anew, as
    // the program itself would have done a moment earlier.
    maps.conns4.remove_many(&over4)?;
    maps.conns6.remove_many(&over6)?;
    Ok(sweep.counts())
}

/// A key of either family, as addresses.
struct Ends {
    protocol: u8,
    source: SocketAddr,
    destination: SocketAddr,
}

fn socket(addr: Addr, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from(addr), u16::from_be(port))
}

fn ends4(key: &ConnKey4) -> Ends {
    Ends {
        protocol: key.protocol,
        source: socket(Addr::v4(key.source), key.source_port),
        destination: socket(Addr::v4(key.destination), key.destination_port),
    }
}

fn ends6(key: &ConnKey6) -> Ends {
    Ends {
        protocol: key.protocol,
        source: socket(Addr { words: key.source }, key.source_port),
        destination: socket(
            Addr {
                words: key.destination,
            },
            key.destination_port,
        ),
    }
}

/// At most `limit` connections, without NAT's reverse entries, and whether there are more.
pub(super) fn list(
    model: &Model,
    maps: &Maps,
    now: u32,
    limit: usize,
) -> Result<(Vec<ConnectionView>, bool), LvsError> {
    let mut views = Vec::new();
    let mut more = false;
    let mut take = |entry: Entry, ends: Ends| {
        if entry.flags & flag::REVERSE != 0 {
            return;
        }
        if views.len() == limit {
            more = true;
            return;
        }
        views.extend(view(model, maps, now, entry, &ends));
    };
    maps.conns4
        .for_each(|key, conn| take(entry4(key, conn), ends4(key)))?;
    maps.conns6
        .for_each(|key, conn| take(entry6(key, conn), ends6(key)))?;
    Ok((views, more))
}

fn view(model: &Model, maps: &Maps, now: u32, entry: Entry, ends: &Ends) -> Option<ConnectionView> {
    let server = maps.servers.get(server_index(entry.server)).ok()?;
    let service = maps.services.get(server.service).ok()?;
    if service.scheduler == service::scheduler::NONE {
        return None;
    }
    let settings = model.settings();
    let template = entry.flags & flag::TEMPLATE != 0;
    let allowed = if template {
        service.persist
    } else {
        settings.timeouts.get(usize::from(entry.state)).copied()?
    };
    let age = now
        .wrapping_sub(entry.seen)
        .cast_signed()
        .max(0)
        .cast_unsigned();
    let port = if server.port == 0 {
        ends.destination.port()
    } else {
        u16::from_be(server.port)
    };
    Some(ConnectionView {
        protocol: if ends.protocol == 17 {
            Protocol::Udp
        } else {
            Protocol::Tcp
        },
        expires: allowed.saturating_sub(age) / settings.hz.max(1),
        state: match entry.state {
            _ if template => ConnectionState::None,
            state::SYN => ConnectionState::SynRecv,
            state::ESTABLISHED => ConnectionState::Established,
            state::FIN => ConnectionState::FinWait,
            state::CLOSE => ConnectionState::Close,
            _ => ConnectionState::Udp,
        },
        source: ends.source,
        virtual_addr: ends.destination,
        destination: SocketAddr::new(IpAddr::from(server.addr), port),
    })
}
