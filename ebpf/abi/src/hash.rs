//! The flow hash, computed alike by every director and by userspace.
//!
//! Keyed with the cluster's seed: with a constant key, as in the kernel's `ip_vs_mh.c`,
//! a client could choose its ports so that all its flows meet at one server.

use crate::Addr;

/// Multiplier of the wyhash family: odd, with balanced bits.
const MULTIPLIER: u64 = 0xa076_1d64_78bd_642f;

#[inline(always)]
const fn mix(h: u64, word: u64) -> u64 {
    let h = (h ^ word).wrapping_mul(MULTIPLIER);
    h ^ (h >> 32)
}

/// Hash of a flow. `ports` is source port and destination port as they lie in the packet
/// (one 32-bit load). All 32 bits are good.
#[inline(always)]
#[must_use]
pub const fn flow(seed: u64, source: &Addr, destination: &Addr, ports: u32, protocol: u8) -> u32 {
    let h = mix(seed, ports as u64 | (protocol as u64) << 32);
    finish(addresses(h, source, destination))
}

/// Hash of a client alone, for sh and mh; `port` is 0 unless it shall take part.
#[inline(always)]
#[must_use]
pub const fn client(seed: u64, source: &Addr, port: u16) -> u32 {
    let h = mix(seed, port as u64 | 1 << 40);
    finish(addresses(h, source, &Addr::NONE))
}

#[inline(always)]
const fn addresses(h: u64, source: &Addr, destination: &Addr) -> u64 {
    let h = mix(
        h,
        (source.words[3] as u64) << 32 | destination.words[3] as u64,
    );
    if source.is_v4() {
        return h;
    }
    let h = mix(h, (source.words[0] as u64) << 32 | source.words[1] as u64);
    let h = mix(
        h,
        (source.words[2] as u64) << 32 | destination.words[2] as u64,
    );
    mix(
        h,
        (destination.words[0] as u64) << 32 | destination.words[1] as u64,
    )
}

#[inline(always)]
const fn finish(h: u64) -> u32 {
    let h = h.wrapping_mul(MULTIPLIER);
    (h >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_clients_and_ports_fill_all_buckets_evenly() {
        const BUCKETS: usize = 1024;
        let mut fill = [0_u32; BUCKETS];
        let vip = Addr::v4(0x0a00_0064_u32.to_be());
        for host in 0..64_u32 {
            let source = Addr::v4((0xc0a8_0000 + host).to_be());
            for port in 0..1024_u16 {
                let ports = u32::from((32768 + port).to_be()) | u32::from(80_u16.to_be()) << 16;
                let h = flow(7, &source, &vip, ports, 6);
                fill[(h & 0xffff) as usize % BUCKETS] += 1;
            }
        }
        // 64 a bucket expected; ±5.5 standard deviations.
        assert!(fill.iter().all(|&n| (20..=108).contains(&n)), "{fill:?}");
    }

    #[test]
    fn the_seed_matters() {
        let a = Addr::v4(1);
        assert_ne!(flow(1, &a, &a, 5, 6), flow(2, &a, &a, 5, 6));
    }
}
