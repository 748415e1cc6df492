//! The address filter: one look tells that a packet is none of our business.
//!
//! `ADDRS` has a word for every hash of an address. A packet whose destination (or, for
//! replies under NAT, source) has no bit there goes on to the stack at once.

use crate::Addr;

/// Words in the filter.
pub const WORDS: usize = 16_384;

/// Some virtual service has an address with this hash.
pub const VIRTUAL: u32 = 1 << 0;
/// Connections to an address with this hash may be in the connection tables.
pub const CONNS: u32 = 1 << 1;
/// A real server with this hash answers through us (NAT).
pub const REAL: u32 = 1 << 2;
/// This node is the director of an address with this hash.
pub const DIRECTED: u32 = 1 << 3;
/// This node has an address with this hash on the interconnect: what comes to, or leaves
/// from, the cluster's port there is checked.
pub const NODE: u32 = 1 << 4;

/// Which word of the filter an address has.
#[inline(always)]
#[must_use]
pub const fn word(addr: &Addr) -> u32 {
    let [a, b, c, d] = addr.words;
    let h = (a ^ b.rotate_left(7) ^ c.rotate_left(15) ^ d).wrapping_mul(0x9e37_79b1);
    h >> (32 - WORDS.ilog2())
}
