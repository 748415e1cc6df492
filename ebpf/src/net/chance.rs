//! The second chance: a packet of an established connection that reaches the wrong
//! server is passed on to the slot's other owner.
//!
//! The current owner passes it on to the previous one, whose connections are older than the
//! slot's move. A server that the slot is not, or not yet, by its own table, passes it on to
//! the current owner: the director knows of a change before it does, or after it. What comes
//! from the very server that it would go to stays, so that a packet that nobody owns is
//! answered with a reset and does not go in circles; while three nodes disagree about a
//! slot, the time to live ends it.

use aya_ebpf::bindings::{BPF_F_CURRENT_NETNS, bpf_sock_tuple};
use aya_ebpf::helpers::{bpf_sk_release, bpf_skc_lookup_tcp};
use ssi_abi::server::{Server, flag};
use ssi_abi::service::{Service, scheduler};
use ssi_abi::settings::Settings;
use ssi_abi::{counter, table};

use crate::choice::Choice;
use crate::count;
use crate::headers::Ethernet;
use crate::maps::SERVERS;
use crate::packet::{Packet, at};
use crate::parse::{self, Parsed};
use crate::schedule;

/// `TCP_TIME_WAIT` and `TCP_LISTEN` in the kernel's `enum bpf_tcp_state`: found, but no
/// connection, or none any more.
const TIME_WAIT: u32 = 6;
const LISTEN: u32 = 10;

/// What this node has of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Nothing,
    /// It is over here, and its last packets are still waited for.
    Waits,
    Connection,
}

/// As a real server: what a director sent us, for our own stack, unless it belongs to the
/// slot's other owner.
#[inline(always)]
pub fn deliver<P: Packet>(
    packet: P,
    parsed: &Parsed,
    service: &Service,
    settings: &Settings,
) -> Result<u32, i32> {
    if service.scheduler != scheduler::SLOT || !parsed.is_tcp() || parsed.opens() {
        return Err(P::PASS);
    }
    let entry = schedule::slot(parsed, service, settings);
    let current = u32::from(table::current(entry));
    let Some(now_its) = SERVERS.get(current) else {
        return Err(P::PASS);
    };
    let (index, other) = if local(now_its) {
        let previous = u32::from(table::previous(entry));
        match SERVERS.get(previous) {
            Some(once_its) if previous != 0 => (previous, once_its),
            _ => return Err(P::PASS),
        }
    } else {
        (current, now_its)
    };
    let none = index == 0 || other.service == 0 || other.flags & flag::DOWN != 0;
    if none || local(other) || comes_from(packet, other) {
        return Err(P::PASS);
    }
    if has(packet, parsed) != Has::Nothing {
        return Err(P::PASS);
    }
    count::event(counter::SECOND_CHANCE);
    Ok(index)
}

/// As the director: who gets a packet of an established connection that we don't
/// remember, of a slot that has a previous owner. What this node itself has is worth
/// remembering: that is certain, costs less than to look again, and holds when the slot moves
/// once more.
#[inline(always)]
pub fn between<P: Packet>(
    packet: P,
    parsed: &Parsed,
    current: u32,
    previous: u32,
) -> Result<Choice, i32> {
    let guess = |index| Choice {
        index,
        remember: false,
        copy: false,
    };
    let known = |index| Choice {
        index,
        remember: true,
        copy: false,
    };
    let (Some(now_its), Some(once_its)) = (SERVERS.get(current), SERVERS.get(previous)) else {
        return Ok(guess(current));
    };
    if once_its.service == 0 || once_its.flags & flag::DOWN != 0 {
        return Ok(guess(current));
    }
    if local(now_its) {
        return match has(packet, parsed) {
            Has::Connection => Ok(known(current)),
            Has::Waits => Ok(guess(current)),
            Has::Nothing => {
                count::event(counter::SECOND_CHANCE);
                Ok(guess(previous))
            }
        };
    }
    if local(once_its) {
        match has(packet, parsed) {
            Has::Connection => return Ok(known(previous)),
            Has::Waits => return Ok(guess(previous)),
            Has::Nothing => {}
        }
        if comes_from(packet, now_its) {
            return Err(P::PASS);
        }
    }
    if now_its.flags & flag::SECOND_CHANCE != 0 {
        Ok(guess(current))
    } else {
        Ok(guess(previous))
    }
}

#[inline(always)]
fn local(server: &Server) -> bool {
    server.flags & flag::LOCAL != 0
}

/// Whether the frame was sent by a server: it was there already.
#[inline(always)]
fn comes_from<P: Packet>(packet: P, server: &Server) -> bool {
    let Some(ethernet) = at::<Ethernet, P>(packet, 0) else {
        return false;
    };
    // SAFETY: `at` checked that the header lies within the frame.
    server.flags & flag::RESOLVED != 0 && unsafe { (*ethernet).source } == server.next_hop
}

/// What this node has of the connection (kernel 5.2), about 90 ns.
///
/// What waits in TIME_WAIT has its last packets, which nobody else may have: a FIN that went
/// elsewhere would leave its port of no use. Data are none of them: they are of a connection
/// that was opened elsewhere since, from the same port, and would be swallowed here.
// A function for the verifier: what it needs of the stack is too much beside its caller's.
#[inline(never)]
fn has<P: Packet>(packet: P, parsed: &Parsed) -> Has {
    let v4 = parsed.source.is_v4();
    // SAFETY: plain integers, for which zero is a value.
    let mut tuple: bpf_sock_tuple = unsafe { core::mem::zeroed() };
    let size = if v4 {
        let t = &mut tuple.__bindgen_anon_1;
        // SAFETY: the union is plain integers.
        unsafe {
            t.ipv4.saddr = parsed.source.as_v4();
            t.ipv4.daddr = parsed.destination.as_v4();
            t.ipv4.sport = parsed.source_port;
            t.ipv4.dport = parsed.destination_port;
            size_of_val(&t.ipv4)
        }
    } else {
        let t = &mut tuple.__bindgen_anon_1;
        // SAFETY: the union is plain integers.
        unsafe {
            t.ipv6.saddr = parsed.source.words;
            t.ipv6.daddr = parsed.destination.words;
            t.ipv6.sport = parsed.source_port;
            t.ipv6.dport = parsed.destination_port;
            size_of_val(&t.ipv6)
        }
    };
    // SAFETY: a helper on our own context and stack; what it returns is released below.
    unsafe {
        let socket = bpf_skc_lookup_tcp(
            packet.context(),
            &raw mut tuple,
            size as u32,
            BPF_F_CURRENT_NETNS as u64,
            0,
        );
        if socket.is_null() {
            return Has::Nothing;
        }
        let state = (*socket).state;
        bpf_sk_release(socket.cast());
        match state {
            LISTEN => Has::Nothing,
            TIME_WAIT if parse::carries_data(packet, parsed) => Has::Nothing,
            TIME_WAIT => Has::Waits,
            _ => Has::Connection,
        }
    }
}
