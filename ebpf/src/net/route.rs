//! Out of here: the Ethernet header, and the interface.

use aya_ebpf::bindings::{
    BPF_FIB_LKUP_RET_NO_NEIGH, BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup as FibParameters,
};
use aya_ebpf::helpers::bpf_fib_lookup;
use ssi_abi::server::{Server, flag};
use ssi_abi::{Addr, counter};

use crate::count;
use crate::headers::{ETHERTYPE_V4, ETHERTYPE_V6, Ethernet};
use crate::packet::{Packet, at};

/// Linux's numbers of the address families.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Sends the packet to a server. `v4`: what the frame carries now, tunnel included.
#[inline(always)]
pub fn send<P: Packet>(packet: P, server: &Server, v4: bool) -> i32 {
    if server.flags & flag::RESOLVED != 0 {
        return leave(packet, server.next_hop, server.own_mac, v4, server.ifindex);
    }
    match look_up(packet, &server.addr, v4) {
        Sent::By(action) => action,
        Sent::NoNeighbour => count::drop::<P>(counter::NO_NEIGHBOUR),
        Sent::NoRoute => count::drop::<P>(counter::NO_ROUTE),
    }
}

/// Sends the packet towards an address that is no server's.
#[inline(always)]
pub fn towards<P: Packet>(packet: P, addr: &Addr, v4: bool) -> i32 {
    match look_up(packet, addr, v4) {
        Sent::By(action) => action,
        // The kernel may know a way that the FIB lookup doesn't tell, or asks for the
        // neighbour's address, which we can't.
        Sent::NoNeighbour | Sent::NoRoute => P::PASS,
    }
}

enum Sent {
    By(i32),
    NoNeighbour,
    NoRoute,
}

#[inline(always)]
fn leave<P: Packet>(
    packet: P,
    destination: [u8; 6],
    source: [u8; 6],
    v4: bool,
    ifindex: u32,
) -> i32 {
    let Some(ethernet) = at::<Ethernet, P>(packet, 0) else {
        return count::drop::<P>(counter::NO_ROOM);
    };
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe {
        (*ethernet).destination = destination;
        (*ethernet).source = source;
        (*ethernet).kind = if v4 { ETHERTYPE_V4 } else { ETHERTYPE_V6 };
    }
    packet.redirect(ifindex)
}

/// Asks the kernel's FIB (kernel 4.18), about 40 ns.
#[inline(always)]
fn look_up<P: Packet>(packet: P, addr: &Addr, v4: bool) -> Sent {
    // SAFETY: plain integers, for which zero is a value.
    let mut fib: FibParameters = unsafe { core::mem::zeroed() };
    fib.ifindex = packet.ingress();
    if addr.is_v4() {
        fib.family = AF_INET;
        fib.__bindgen_anon_4.ipv4_dst = addr.as_v4();
    } else {
        fib.family = AF_INET6;
        fib.__bindgen_anon_4.ipv6_dst = addr.words;
    }
    // SAFETY: a helper on our own context and stack.
    let found = unsafe {
        bpf_fib_lookup(
            packet.context(),
            &raw mut fib,
            size_of::<FibParameters>() as i32,
            0,
        )
    };
    match found as u32 {
        BPF_FIB_LKUP_RET_SUCCESS => Sent::By(leave(packet, fib.dmac, fib.smac, v4, fib.ifindex)),
        BPF_FIB_LKUP_RET_NO_NEIGH => Sent::NoNeighbour,
        _ => Sent::NoRoute,
    }
}
