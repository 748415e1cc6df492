//! Which server takes a new connection.

use ssi_abi::server::{Server, flag};
use ssi_abi::service::{self, Service, scheduler};
use ssi_abi::settings::Settings;
use ssi_abi::table::{self, BLOCK};
use ssi_abi::{hash, limits};

use crate::atomic;
use crate::maps::{CURSORS, LOADS, SERVERS, TABLE};
use crate::parse::Parsed;

/// How many entries further we look when a server is overloaded.
const TRIES: u32 = 8;

/// One entry of the scheduling tables; 0 outside them.
#[inline(always)]
pub fn entry(at: u32) -> u32 {
    let Some(block) = TABLE.get(at / BLOCK) else {
        return 0;
    };
    let entry = &raw const block.entries[(at % BLOCK) as usize];
    // SAFETY: within a live map value. Volatile, so that both owners are of one load: two
    // halves, which compilers like to make of it, can be of two edits, and then a connection
    // is the new owner's, and the old one not known.
    unsafe { entry.read_volatile() }
}

/// The entry of a flow's slot: current owner and previous.
#[inline(always)]
pub fn slot(parsed: &Parsed, service: &Service, settings: &Settings) -> u32 {
    let (first, entries) = Service::table_range(service.table);
    if entries == 0 {
        return 0;
    }
    let hash = hash::flow(
        settings.seed,
        &parsed.source,
        &parsed.destination,
        parsed.ports(),
        parsed.protocol,
    );
    entry(first + hash % table::SLOTS)
}

/// Index of the server for a new connection, 0 if none takes any. For every scheduler but
/// slot.
#[inline(always)]
pub fn pick(parsed: &Parsed, index: u32, service: &Service, settings: &Settings) -> u32 {
    let (first, entries) = Service::table_range(service.table);
    if entries == 0 {
        return 0;
    }
    match service.scheduler {
        scheduler::TURN => ssi_turn(index, first, entries),
        scheduler::HASH => hashed(parsed, service, settings, first, entries),
        scheduler::LEAST => ssi_least(first, entries, 0),
        scheduler::WEIGHTED_LEAST => ssi_least(first, entries, 1),
        _ => 0,
    }
}

#[inline(always)]
fn takes_connections(server: u32) -> bool {
    SERVERS
        .get(server)
        .is_some_and(|server| server.flags & (flag::OVERLOADED | flag::DOWN) == 0)
}

/// The owner of a slot, if it takes what opens a connection; else 0. One of weight 0 has
/// kept its slots because no other takes any either. Over UDP every packet may be of an old
/// flow, which an overloaded server keeps.
#[inline(always)]
pub fn owner(parsed: &Parsed, entry: u32) -> u32 {
    let current = u32::from(table::current(entry));
    let refusing = if parsed.is_tcp() {
        flag::OVERLOADED | flag::DOWN
    } else {
        flag::DOWN
    };
    let takes = |server: &Server| server.flags & refusing == 0 && server.weight != 0;
    if SERVERS.get(current).is_some_and(takes) {
        current
    } else {
        0
    }
}

#[inline(always)]
fn hashed(
    parsed: &Parsed,
    service: &Service,
    settings: &Settings,
    first: u32,
    entries: u32,
) -> u32 {
    let port = if service.flags & service::flag::HASH_PORT != 0 {
        parsed.source_port
    } else {
        0
    };
    let hash = hash::client(settings.seed, &parsed.source, port);
    let tries = if service.flags & service::flag::FALLBACK != 0 {
        TRIES
    } else {
        1
    };
    ssi_hashed(hash, first, entries, tries)
}

// Global functions: the verifier looks at each loop once, not once for every way that
// leads there.

/// The next server in turn.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssi_turn(service: u32, first: u32, entries: u32) -> u32 {
    let Some(cursor) = CURSORS.get_ptr_mut(service) else {
        return 0;
    };
    if entries == 0 {
        return 0;
    }
    for _ in 0..TRIES {
        let turn = atomic::fetch_add(cursor, 1) as u32;
        let server = u32::from(table::current(entry(first.wrapping_add(turn % entries))));
        if takes_connections(server) {
            return server;
        }
    }
    0
}

/// The server at a hash, or one of the next ones.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssi_hashed(hash: u32, first: u32, entries: u32, tries: u32) -> u32 {
    if entries == 0 {
        return 0;
    }
    for i in 0..TRIES {
        if i >= tries {
            break;
        }
        let at = hash.wrapping_add(i) % entries;
        let server = u32::from(table::current(entry(first.wrapping_add(at))));
        if takes_connections(server) {
            return server;
        }
    }
    0
}

/// The server with the fewest connections; with weights, a is better than b when
/// a's connections · b's weight < b's connections · a's weight (ip_vs_wlc.c).
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssi_least(first: u32, entries: u32, weighted: u32) -> u32 {
    let (mut best, mut best_overhead, mut best_weight) = (0_u32, 0_u64, 0_u64);
    for i in 0..limits::SCAN {
        if i >= entries {
            break;
        }
        let server = u32::from(table::current(entry(first.wrapping_add(i))));
        let (Some(record), Some(load)) = (SERVERS.get(server), LOADS.get(server)) else {
            continue;
        };
        if record.flags & (flag::OVERLOADED | flag::DOWN) != 0 || record.weight == 0 {
            continue;
        }
        let overhead = load.overhead();
        let weight = if weighted != 0 {
            u64::from(record.weight)
        } else {
            1
        };
        if best == 0 || overhead * best_weight < best_overhead * weight {
            (best, best_overhead, best_weight) = (server, overhead, weight);
        }
    }
    best
}
