//! Packets too big for a tunnel: the sender is told how big they may be (RFC 1191,
//! RFC 8201).

use aya_ebpf::helpers::bpf_csum_diff;
use ssi_abi::{Addr, counter};

use crate::balance::ethertype;
use crate::checksum::{self, fold};
use crate::count;
use crate::family::{Family, V4, V6};
use crate::headers::{ETHERTYPE_V4, Ethernet, Icmp, Ipv4, Ipv6, L3, protocol};
use crate::maps::SETTINGS;
use crate::packet::{Packet, at};

/// Bytes of the packet that the answer quotes: all headers. A multiple of 4, for the sum.
const QUOTE: usize = 128;
/// What the checksum covers.
const SUMMED: usize = size_of::<Icmp>() + QUOTE;

/// Turns the packet into the answer and sends it back where it came from.
#[inline(always)]
pub fn tell<P: Packet>(packet: P, mtu: u32) -> i32 {
    if ethertype(packet) == ETHERTYPE_V4 {
        tell4(packet, mtu)
    } else {
        tell6(packet, mtu)
    }
}

#[inline(never)]
fn tell4<P: Packet>(packet: P, mtu: u32) -> i32 {
    answer::<P, V4>(packet, mtu)
}

#[inline(never)]
fn tell6<P: Packet>(packet: P, mtu: u32) -> i32 {
    answer::<P, V6>(packet, mtu)
}

#[inline(always)]
fn answer<P: Packet, F: Family>(packet: P, mtu: u32) -> i32 {
    let (Some((client, virtual_addr)), Some(ethernet)) =
        (F::addresses(packet), at::<Ethernet, P>(packet, 0))
    else {
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    };
    // SAFETY: `at` checked that the header lies within the frame.
    let ethernet = unsafe { *ethernet };
    let added = F::HEADER + size_of::<Icmp>() as u32;
    if !packet.quote((L3 + QUOTE) as u32, added) {
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    }
    let back = Ethernet {
        destination: ethernet.source,
        source: ethernet.destination,
        kind: ethernet.kind,
    };
    let Some(place) = at::<Ethernet, P>(packet, 0) else {
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    };
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe { *place = back };
    let ttl = SETTINGS.get(0).map_or(64, |settings| settings.ttl as u8);
    let written = if F::V4 {
        write_v4(packet, &virtual_addr, &client, mtu, ttl)
    } else {
        write_v6(packet, &virtual_addr, &client, mtu, ttl)
    };
    if written.is_none() {
        return count::drop::<P>(counter::TOO_BIG_DROPPED);
    }
    count::event(counter::TOO_BIG);
    packet.redirect(packet.ingress())
}

#[inline(always)]
fn write_v4<P: Packet>(packet: P, from: &Addr, to: &Addr, mtu: u32, ttl: u8) -> Option<()> {
    let ip = at::<Ipv4, P>(packet, L3)?;
    let total = ((size_of::<Ipv4>() + SUMMED) as u16).to_be();
    let [high, low] = total.to_ne_bytes();
    let sum = u64::from(u32::from_ne_bytes([0x45, 0, high, low]))
        + u64::from(u32::from_ne_bytes([ttl, protocol::ICMP, 0, 0]))
        + u64::from(from.as_v4())
        + u64::from(to.as_v4());
    let header = Ipv4 {
        version_ihl: 0x45,
        tos: 0,
        length: total,
        id: 0,
        fragment: 0,
        ttl,
        protocol: protocol::ICMP,
        checksum: !fold(sum),
        source: from.as_v4().to_ne_bytes(),
        destination: to.as_v4().to_ne_bytes(),
    };
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe { *ip = header };
    let mtu = (mtu as u16).to_be_bytes();
    // Type 3, code 4: fragmentation needed and DF set.
    let icmp = Icmp {
        kind: 3,
        code: 4,
        checksum: [0; 2],
        rest: [0, 0, mtu[0], mtu[1]],
    };
    seal(packet, L3 + size_of::<Ipv4>(), icmp, 0)
}

#[inline(always)]
fn write_v6<P: Packet>(packet: P, from: &Addr, to: &Addr, mtu: u32, ttl: u8) -> Option<()> {
    let ip = at::<Ipv6, P>(packet, L3)?;
    // SAFETY: `at` checked that the header lies within the frame; the addresses are
    // 2-aligned only.
    unsafe {
        (*ip).version_class_label = [0x60, 0, 0, 0];
        (*ip).length = (SUMMED as u16).to_be();
        (*ip).next = protocol::ICMPV6;
        (*ip).hop_limit = ttl;
        (&raw mut (*ip).source)
            .cast::<[u32; 4]>()
            .write_unaligned(from.words);
        (&raw mut (*ip).destination)
            .cast::<[u32; 4]>()
            .write_unaligned(to.words);
    }
    let pseudo = u64::from((SUMMED as u32).to_be())
        + u64::from(u32::from(protocol::ICMPV6).to_be())
        + checksum::words(from)
        + checksum::words(to);
    // Type 2: packet too big.
    let icmp = Icmp {
        kind: 2,
        code: 0,
        checksum: [0; 2],
        rest: mtu.to_be_bytes(),
    };
    seal(packet, L3 + size_of::<Ipv6>(), icmp, pseudo)
}

/// Writes the ICMP header and its checksum.
#[inline(always)]
fn seal<P: Packet>(packet: P, offset: usize, icmp: Icmp, pseudo: u64) -> Option<()> {
    let message = at::<[u8; SUMMED], P>(packet, offset)?;
    let header = message.cast::<Icmp>();
    // SAFETY: `at` checked that the whole message lies within the frame.
    let sum = unsafe {
        *header = icmp;
        bpf_csum_diff(core::ptr::null_mut(), 0, message.cast(), SUMMED as u32, 0)
    };
    if sum < 0 {
        return None;
    }
    // SAFETY: as above.
    unsafe { (*header).checksum = (!fold(pseudo + sum as u64)).to_ne_bytes() };
    Some(())
}
