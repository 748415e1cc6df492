//! What a scheduler decides of a flow that is not remembered.

use ssi_abi::service::{Service, scheduler};
use ssi_abi::settings::Settings;
use ssi_abi::{server, table};

use crate::family::Family;
use crate::maps::SERVERS;
use crate::packet::Packet;
use crate::parse::Parsed;
use crate::{chance, conntrack, schedule};

/// A scheduler's decision.
pub struct Choice {
    /// Index in `SERVERS`, 0 for none.
    pub index: u32,
    /// Whether to remember the connection.
    pub remember: bool,
    /// Whether the flow's next packets would come to the same.
    pub copy: bool,
}

/// The server that a client is attached to; it is attached to one if it wasn't.
#[inline(always)]
pub fn persistent<F: Family>(
    parsed: &Parsed,
    number: u32,
    service: &Service,
    settings: &Settings,
    now: u32,
) -> Choice {
    let attached = conntrack::attached::<F>(parsed, service, now);
    if attached != 0
        && let Some(server) = conntrack::server_of(attached)
        && server.flags & server::flag::DOWN == 0
        && server.weight != 0
    {
        return Choice {
            index: server::server_index(attached),
            remember: true,
            copy: false,
        };
    }
    let index = if service.scheduler == scheduler::SLOT {
        schedule::owner(parsed, schedule::slot(parsed, service, settings))
    } else {
        schedule::pick(parsed, number, service, settings)
    };
    if index != 0
        && let Some(server) = SERVERS.get(index)
    {
        conntrack::attach::<F>(parsed, service, index, server, now);
    }
    Choice {
        index,
        remember: true,
        copy: false,
    }
}

/// The slot's current owner takes new connections. Those that were there before the slot
/// moved are the previous owner's, and nobody wrote down which those are: connections
/// opened since are remembered; of the others, the current owner, if it runs these
/// programs, passes on what it doesn't have.
#[inline(always)]
pub fn by_slot<P: Packet>(
    packet: P,
    parsed: &Parsed,
    service: &Service,
    settings: &Settings,
) -> Result<Choice, i32> {
    let entry = schedule::slot(parsed, service, settings);
    let current = u32::from(table::current(entry));
    let previous = u32::from(table::previous(entry));
    let settled = previous == 0 || !parsed.is_tcp();
    if parsed.opens() {
        return Ok(Choice {
            index: schedule::owner(parsed, entry),
            remember: !settled || conntrack::tracked(service.flags),
            copy: false,
        });
    }
    if settled {
        return Ok(Choice {
            index: current,
            remember: conntrack::tracked(service.flags),
            copy: true,
        });
    }
    chance::between(packet, parsed, current, previous)
}
