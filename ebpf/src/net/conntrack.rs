//! The connection tables: what is remembered of a connection, and when it is forgotten.

use aya_ebpf::helpers::generated::bpf_jiffies64;
use ssi_abi::conn::{flag, state};
use ssi_abi::server::{Server, server_generation, server_index, server_ref};
use ssi_abi::service::{self, Service};
use ssi_abi::{Addr, counter};

use crate::family::{Family, Head};
use crate::headers::tcp;
use crate::maps::{LOADS, SERVERS, SETTINGS};
use crate::parse::Parsed;
use crate::{atomic, count};

/// Time, in jiffies: one load where a clock would cost 17 to 34 ns. Wraps.
#[inline(always)]
pub fn now() -> u32 {
    // SAFETY: a helper without arguments (kernel 5.6).
    unsafe { bpf_jiffies64() as u32 }
}

/// The server that a connection names, unless it has gone and its index was given away.
#[inline(always)]
pub fn server_of(reference: u32) -> Option<&'static Server> {
    let server = SERVERS.get(server_index(reference))?;
    let same = server.generation == server_generation(reference) && server.service != 0;
    same.then_some(server)
}

/// Sees a packet of a known connection: 0 if the entry is stale and the packet is to be
/// scheduled anew, else the server, as `server_ref`.
#[inline(always)]
pub fn touch(head: *mut Head, parsed: &Parsed, now: u32) -> u32 {
    // SAFETY: a live map value; a lost race with another CPU costs at most one update of
    // the time or the state, which the next packet makes good.
    let head = unsafe { &mut *head };
    if head.flags & flag::TEMPLATE != 0 {
        // A packet from port 0, which is what a client's attachment has for one.
        return 0;
    }
    if head.seen != now {
        if expired(head, now) {
            leave(head);
            return 0;
        }
        head.seen = now;
    }
    if parsed.is_tcp() {
        let ended = head.state == state::FIN || head.state == state::CLOSE;
        if ended && parsed.opens() {
            // The client's port came round again (kubernetes#70747 is what happens to
            // those who leave this to the old server).
            leave(head);
            return 0;
        }
        let next = follow(head.state, parsed.flags);
        if next != head.state {
            if head.flags & flag::REVERSE == 0 {
                moved(head.server, head.state, next);
            }
            head.state = next;
        }
    }
    head.server
}

#[inline(always)]
fn expired(head: &Head, now: u32) -> bool {
    let Some(settings) = SETTINGS.get(0) else {
        return true;
    };
    let state = (head.state & 7) as usize;
    if state >= state::COUNT {
        return true;
    }
    now.wrapping_sub(head.seen) > settings.timeouts[state]
}

/// Whether packets that go on with a connection change nothing of it but its time.
#[inline(always)]
pub fn steady(head: *mut Head) -> bool {
    // SAFETY: a live map value.
    let head = unsafe { &*head };
    head.flags == 0 && (head.state == state::ESTABLISHED || head.state == state::IDLE)
}

/// The state after a packet with these TCP flags.
#[inline(always)]
fn follow(state: u8, flags: u8) -> u8 {
    if flags & tcp::RST != 0 {
        state::CLOSE
    } else if state == state::CLOSE {
        state
    } else if flags & tcp::FIN != 0 {
        state::FIN
    } else if state == state::SYN && flags & (tcp::SYN | tcp::ACK) == tcp::ACK {
        state::ESTABLISHED
    } else {
        state
    }
}

/// Keeps the server's load right when a connection changes state.
#[inline(always)]
fn moved(reference: u32, from: u8, to: u8) {
    let (was, is) = (from == state::ESTABLISHED, to == state::ESTABLISHED);
    if was == is || server_of(reference).is_none() {
        return;
    }
    let n = if is { 1 } else { -1 };
    if let Some(load) = LOADS.get_ptr_mut(server_index(reference)) {
        // SAFETY: fields of a live map value; all writers of these two add atomically.
        unsafe {
            atomic::add(&raw mut (*load).active, n);
            atomic::add(&raw mut (*load).inactive, -n);
        }
    }
}

/// The connection ends here: its server has one less.
#[inline(always)]
pub fn leave(head: *mut Head) {
    // SAFETY: a live map value.
    let head = unsafe { &*head };
    if head.flags & flag::REVERSE == 0 && server_of(head.server).is_some() {
        load(server_index(head.server), head.state, -1);
    }
}

#[inline(always)]
fn load(index: u32, state: u8, n: i32) {
    if let Some(load) = LOADS.get_ptr_mut(index) {
        // SAFETY: fields of a live map value; all writers of these two add atomically.
        unsafe {
            if state == state::ESTABLISHED {
                atomic::add(&raw mut (*load).active, n);
            } else {
                atomic::add(&raw mut (*load).inactive, n);
            }
        }
    }
}

/// Remembers a new connection, and for NAT its reverse.
#[inline(always)]
pub fn create<F: Family>(parsed: &Parsed, key: &F::Key, index: u32, server: &Server, now: u32) {
    let reference = server_ref(index as u16, server.generation);
    let state = if !parsed.is_tcp() {
        state::IDLE
    } else if parsed.opens() {
        state::SYN
    } else {
        follow(state::SYN, parsed.flags)
    };
    let head = |flags, virtual_port| Head {
        server: reference,
        seen: now,
        state,
        flags,
        virtual_port,
    };
    if !F::remember(key, head(0, 0), &Addr::NONE) {
        count::event(counter::TABLE_FULL);
        return;
    }
    load(index, state, 1);
    if server.method == ssi_abi::server::method::NAT {
        let reverse = Parsed {
            source: server.addr,
            destination: parsed.source,
            source_port: crate::nat::port(server, parsed),
            destination_port: parsed.source_port,
            ..*parsed
        };
        let key = F::key(&reverse);
        if !F::remember(
            &key,
            head(flag::REVERSE, parsed.destination_port),
            &parsed.destination,
        ) {
            count::event(counter::TABLE_FULL);
        }
    }
}

/// The key of a client's attachment to a server (persistence).
#[inline(always)]
fn template<F: Family>(parsed: &Parsed, service: &Service) -> F::Key {
    let [a, b, c, d] = parsed.source.words;
    let mask = service.mask.words;
    let source = Addr {
        words: [a & mask[0], b & mask[1], c & mask[2], d & mask[3]],
    };
    let mut destination = parsed.destination;
    if service.mark != 0 {
        // All members of a group share one attachment.
        destination = if F::V4 {
            Addr::v4(service.mark)
        } else {
            Addr {
                words: [0, 0, 0, service.mark],
            }
        };
    }
    F::key(&Parsed {
        source,
        destination,
        source_port: 0,
        destination_port: service.key.port,
        ..*parsed
    })
}

/// The server that a client is attached to, as `server_ref`; 0 if none.
#[inline(always)]
pub fn attached<F: Family>(parsed: &Parsed, service: &Service, now: u32) -> u32 {
    let key = template::<F>(parsed, service);
    let Some(head) = F::find(&key) else {
        return 0;
    };
    // SAFETY: a live map value.
    let head = unsafe { &mut *head };
    if head.flags & flag::TEMPLATE == 0 || now.wrapping_sub(head.seen) > service.persist {
        return 0;
    }
    head.seen = now;
    head.server
}

/// Attaches a client to a server.
#[inline(always)]
pub fn attach<F: Family>(
    parsed: &Parsed,
    service: &Service,
    index: u32,
    server: &Server,
    now: u32,
) {
    let head = Head {
        server: server_ref(index as u16, server.generation),
        seen: now,
        state: state::IDLE,
        flags: flag::TEMPLATE,
        virtual_port: 0,
    };
    if !F::remember(&template::<F>(parsed, service), head, &Addr::NONE) {
        count::event(counter::TABLE_FULL);
    }
}

/// Whether connections of a service are remembered although its table is enough to find
/// their server.
#[inline(always)]
pub fn tracked(flags: u32) -> bool {
    flags & (service::flag::TRACK | service::flag::NAT) != 0
}
