/// An IPv4 or IPv6 address, as four 32-bit words in network order.
///
/// IPv4 is written IPv4-mapped (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2), so one key type
/// serves both families and the family needs no field of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Addr {
    /// The address's words, each as it lies in a packet.
    pub words: [u32; 4],
}

const _: () = assert!(size_of::<Addr>() == 16);

/// The third word of every IPv4-mapped address.
const MAPPED: u32 = 0x0000_ffff_u32.to_be();

impl Addr {
    /// The unspecified address: "none".
    pub const NONE: Self = Self { words: [0; 4] };

    /// From an IPv4 address in network order.
    #[inline(always)]
    #[must_use]
    pub const fn v4(network: u32) -> Self {
        Self {
            words: [0, 0, MAPPED, network],
        }
    }

    /// Whether this is an IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn is_v4(&self) -> bool {
        self.words[0] == 0 && self.words[1] == 0 && self.words[2] == MAPPED
    }

    /// The IPv4 address in network order; meaningless unless [`Self::is_v4`].
    #[inline(always)]
    #[must_use]
    pub const fn as_v4(&self) -> u32 {
        self.words[3]
    }
}

#[cfg(feature = "user")]
mod user {
    extern crate std;

    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::Addr;

    impl From<IpAddr> for Addr {
        fn from(ip: IpAddr) -> Self {
            match ip {
                IpAddr::V4(v4) => Self::v4(u32::from_ne_bytes(v4.octets())),
                IpAddr::V6(v6) => {
                    let o = v6.octets();
                    let word = |i: usize| u32::from_ne_bytes([o[i], o[i + 1], o[i + 2], o[i + 3]]);
                    Self {
                        words: [word(0), word(4), word(8), word(12)],
                    }
                }
            }
        }
    }

    impl From<Addr> for IpAddr {
        fn from(addr: Addr) -> Self {
            if addr.is_v4() {
                return Self::V4(Ipv4Addr::from(addr.as_v4().to_ne_bytes()));
            }
            let mut o = [0; 16];
            for (chunk, word) in o.chunks_exact_mut(4).zip(addr.words) {
                chunk.copy_from_slice(&word.to_ne_bytes());
            }
            Self::V6(Ipv6Addr::from(o))
        }
    }
}
