//! SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) of whole
//! 64-bit words: what tags a probe, alike in the programs and in userspace.

/// The 64-bit tag of `words` under the key `k0`, `k1`. The words are hashed as the bytes
/// they have in little-endian order, so the tag is that of the paper for an input whose
/// length is a multiple of 8.
#[inline(always)]
#[must_use]
pub const fn tag<const N: usize>(k0: u64, k1: u64, words: &[u64; N]) -> u64 {
    // The constants are the paper's: "somepseudorandomlygeneratedbytes".
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut i = 0;
    while i < N {
        v = compress(v, words[i]);
        i += 1;
    }
    // The last block: the length in bytes, modulo 256, above the bytes left over (none).
    v = compress(v, (8 * N as u64) << 56);
    v[2] ^= 0xff;
    v = round(round(round(round(v))));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline(always)]
const fn compress([a, b, c, d]: [u64; 4], word: u64) -> [u64; 4] {
    let [a, b, c, d] = round(round([a, b, c, d ^ word]));
    [a ^ word, b, c, d]
}

#[inline(always)]
const fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32);
    c = c.wrapping_add(b);
    a = a.wrapping_add(d);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    c = c.rotate_left(32);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    #![expect(
        deprecated,
        reason = "the standard library's SipHash-2-4, to compare with"
    )]
    extern crate std;

    use core::hash::{Hasher as _, SipHasher};
    use std::vec::Vec;

    use super::*;

    /// Of the reference implementation's vectors (key 00 01 … 0f, input 00 01 …), those for
    /// whole words: 0, 8 and 16 bytes.
    #[test]
    fn tags_are_those_of_the_reference_vectors() {
        let (k0, k1) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(tag(k0, k1, &[]), 0x726f_db47_dd0e_0e31);
        assert_eq!(tag(k0, k1, &[k0]), 0x93f5_f579_9a93_2462);
        assert_eq!(tag(k0, k1, &[k0, k1]), 0x3f2a_cc7f_57c2_9bdb);
    }

    #[test]
    fn tags_are_those_of_another_implementation() {
        let mut x = 1_u64;
        let mut next = || {
            x = x.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            x ^ x >> 29
        };
        for _ in 0..1000 {
            let (k0, k1, words) = (next(), next(), [(); 8].map(|()| next()));
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut other = SipHasher::new_with_keys(k0, k1);
            other.write(&bytes);
            assert_eq!(tag(k0, k1, &words), other.finish());
        }
    }
}
