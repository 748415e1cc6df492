//! The Internet checksum, changed rather than computed (RFC 1624, eqn. 3:
//! HC' = ~(~HC + ~m + m')).

use ssi_abi::Addr;

/// What replacing `old` by `new` adds to the sum.
#[inline(always)]
pub const fn difference(old: u32, new: u32) -> u64 {
    (!old) as u64 + new as u64
}

/// [`difference`] of whole addresses.
#[inline(always)]
pub const fn addresses(old: &Addr, new: &Addr) -> u64 {
    difference(old.words[0], new.words[0])
        + difference(old.words[1], new.words[1])
        + difference(old.words[2], new.words[2])
        + difference(old.words[3], new.words[3])
}

/// The sum of an address's words.
#[inline(always)]
pub const fn words(addr: &Addr) -> u64 {
    let [a, b, c, d] = addr.words;
    a as u64 + b as u64 + c as u64 + d as u64
}

/// Folds a sum of 32-bit words to 32 bits.
#[inline(always)]
pub const fn fold32(sum: u64) -> u32 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    ((sum & 0xffff_ffff) + (sum >> 32)) as u32
}

/// Folds a sum of 32-bit words to 16 bits.
#[inline(always)]
pub const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// The checksum after a change of its sum by `difference`.
#[inline(always)]
pub const fn update(checksum: u16, difference: u64) -> u16 {
    !fold((!checksum) as u64 + difference)
}
