//! What the scheduling core asks of an entry, and how it reads and writes frames.

use core::ffi::c_void;

use crate::headers::L3;

/// A frame, as XDP or tc shows it. Every method that changes the frame makes earlier
/// pointers into it useless.
pub trait Packet: Copy {
    /// Let the kernel's stack have it.
    const PASS: i32;
    /// Nobody gets it.
    const DROP: i32;

    /// For helpers that want the program's context.
    fn context(self) -> *mut c_void;
    /// Address of the first byte.
    fn start(self) -> usize;
    /// Address after the last byte that can be read directly.
    fn end(self) -> usize;
    /// Bytes of the whole frame.
    fn length(self) -> u32;
    /// Interface it came in on.
    fn ingress(self) -> u32;
    /// It is for another host, and comes by here because a switch doesn't know where that is,
    /// or because this interface takes in everything.
    fn for_another(self) -> bool;
    /// Several segments in one (GSO): its length says nothing about the wire.
    fn segmented(self) -> bool;
    /// Sends it out on an interface.
    fn redirect(self, ifindex: u32) -> i32;
    /// Makes room for an outer header of `bytes` before the IP header; false: no room.
    fn open(self, bytes: u32, outer_v4: bool) -> bool;
    /// Takes an outer header of `bytes` away; false: it could not.
    fn close(self, bytes: u32, inner_v4: bool) -> bool;
    /// Cuts the frame after `keep` bytes and makes room for `bytes` before the IP
    /// header; false: it could not.
    fn quote(self, keep: u32, bytes: u32) -> bool;
    /// Writes `value` at an offset checked while parsing; false: it could not.
    fn write<T: Copy>(self, offset: u32, value: &T) -> bool;
    /// Changes the checksum at an offset by the `difference` of what it covers; false: it
    /// could not.
    fn sum(self, checksum: u32, difference: u32, covered: Covered) -> bool;
    /// Changes a UDP checksum at an offset by the `difference` of the data it covers, or
    /// gives it up where it may not be known yet; false: it could not.
    fn resum_udp(self, checksum: u32, difference: u32) -> bool;
    /// Which of the device's queues it goes to; only what leaves has one.
    fn prioritise(self, priority: u32);
    /// `parse::walk`, with a boundary for the verifier.
    fn extensions(self, protocol: u8) -> u64;
    /// Copies `len` bytes from the start of the frame, at most `ssi_abi::fragment::HELD_FRAME`.
    fn copy(self, to: *mut u8, len: u32) -> bool;
}

/// What a checksum covers, for [`Packet::sum`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// The IPv4 header.
    Header,
    /// TCP or ICMP, a part of the segment itself.
    Data,
    /// TCP or ICMPv6, an address of the pseudo-header.
    Pseudo,
    /// UDP (0 means "no checksum" and stays), a part of the datagram itself.
    UdpData,
    /// UDP, an address of the pseudo-header.
    UdpPseudo,
}

/// Largest offset of a header we look at; more is refused while parsing. Also what tells
/// the verifier that an offset is small.
pub const FARTHEST: usize = 0x1ff;

/// The `T` at a fixed offset, if it lies within the frame.
#[inline(always)]
pub fn at<T, P: Packet>(packet: P, offset: usize) -> Option<*mut T> {
    let start = packet.start();
    if start + offset + size_of::<T>() > packet.end() {
        return None;
    }
    Some((start + offset) as *mut T)
}

/// The `T` at a computed offset, if it lies within the frame.
#[inline(always)]
pub fn far<T, P: Packet>(packet: P, offset: u32) -> Option<*mut T> {
    // The mask is for the verifier, which forgets bounds when it spills a register;
    // black_box keeps the compiler from dropping it as redundant.
    let offset = core::hint::black_box(offset as usize) & FARTHEST;
    let place = packet.start() + offset;
    if place + size_of::<T>() > packet.end() {
        return None;
    }
    Some(place as *mut T)
}

/// Bytes of the frame from the IP header on.
#[inline(always)]
pub fn ip_bytes<P: Packet>(packet: P) -> u32 {
    packet.length().wrapping_sub(L3 as u32)
}

/// The same packet, whose bounds the compiler has to load anew. It would keep them from an
/// earlier look as 32-bit numbers, which is what the context's fields are to it, and widen
/// them again: then the verifier, for which they are pointers, doesn't know them any more.
#[inline(always)]
pub fn again<P: Packet>(packet: P) -> P {
    core::hint::black_box(packet)
}
