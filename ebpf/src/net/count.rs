//! Counting: by reason, by server, by service.

use ssi_abi::stats::Stats;

use crate::maps::{SERVER_STATS, SERVICE_STATS};
pub use crate::member::event;
use crate::packet::Packet;

/// Drops the packet, for a reason.
#[inline(always)]
pub fn drop<P: Packet>(reason: u32) -> i32 {
    event(reason);
    P::DROP
}

#[inline(always)]
fn both(service: u32, server: u32, apply: impl Fn(&mut Stats)) {
    for stats in [
        SERVER_STATS.get_ptr_mut(server),
        SERVICE_STATS.get_ptr_mut(service),
    ]
    .into_iter()
    .flatten()
    {
        // SAFETY: this CPU's slot of a per-CPU map; nobody else writes it now.
        apply(unsafe { &mut *stats });
    }
}

/// A packet of `bytes` from a client, given to a server.
#[inline(always)]
pub fn incoming(service: u32, server: u32, bytes: u32) {
    both(service, server, |stats| {
        stats.in_packets += 1;
        stats.in_bytes += u64::from(bytes);
    });
}

/// A packet of `bytes` from a server, on its way to a client.
#[inline(always)]
pub fn outgoing(service: u32, server: u32, bytes: u32) {
    both(service, server, |stats| {
        stats.out_packets += 1;
        stats.out_bytes += u64::from(bytes);
    });
}

/// A new connection.
#[inline(always)]
pub fn connection(service: u32, server: u32) {
    both(service, server, |stats| stats.connections += 1);
}
