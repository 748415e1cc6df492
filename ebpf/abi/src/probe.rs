//! Probes: how nodes find out which of them live.
//!
//! A node sends a probe over UDP to [`PORT`] from [`PORT`]. The target's packet path checks
//! it and sends it back as a reflection, so what answers is the kernel, whether `ssid` gets
//! to run there or not. Probes of the supervisor are answered by `ssid` itself, and tell
//! "the node lives, but its `ssid` is stalled" apart. Heartbeats of the view log go the same
//! way: small ones, often.
//!
//! `ssid` checks what comes to its socket again: frames with IP options or extension
//! headers, and those of interfaces without the programs, come unchecked. Only it can tell
//! whether an answer is one to a probe of its own.

use crate::siphash;

/// UDP: probes. TCP: internode communication.
pub const PORT: u16 = 7117;

/// First four bytes of every probe: "ssip".
pub const MAGIC: u32 = u32::from_le_bytes(*b"ssip");
/// Changes whenever the layout or the meaning of [`Probe`] does.
pub const VERSION: u8 = 1;

/// What kind of probe it is.
pub mod kind {
    /// To be reflected by the target's kernel.
    pub const PROBE: u8 = 1;
    /// A [`PROBE`], sent back by the target's kernel.
    pub const REFLECTION: u8 = 2;
    /// To be answered by the target's `ssid`.
    pub const SUPERVISOR: u8 = 3;
    /// A [`SUPERVISOR`], answered.
    pub const SUPERVISOR_REPLY: u8 = 4;
    /// How many there are; they count up from 1.
    pub const COUNT: usize = 4;
}

/// Bits of [`Probe::flags`].
pub mod flag {
    /// In a reflection: the reflector holds a lease, as far as its kernel knows.
    pub const HOLDS: u32 = 1 << 0;
    /// In a probe of the supervisor: it is a heartbeat of the leader of the view log, for the
    /// log of the other, which answers if it agrees with all of it. It has the leader's term in
    /// [`super::Probe::clock`], the term and the index of the last entry in
    /// [`super::Probe::grant`] and [`super::Probe::lease`], and the log's generation in the bits
    /// from [`GENERATION`] on. Its answer has the same.
    pub const HEARTBEAT: u32 = 1 << 1;
    /// Where the generation of a heartbeat begins, of 24 bits.
    pub const GENERATION: u32 = 8;
}

/// 64-bit words that the tag covers.
pub const BODY: usize = 8;
/// 64-bit words of a probe: the body, then the tag.
pub const WORDS: usize = BODY + 1;
/// Bytes of a probe on the wire.
pub const BYTES: usize = 8 * WORDS;

/// A probe. On the wire: these fields in this order, little endian.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u8,
    /// One of [`kind`].
    pub kind: u8,
    /// Which key it is tagged with, see [`crate::member::Key::id`].
    pub key_id: u16,
    /// Number of the node that sends it.
    pub from: u16,
    /// Number of the node that it is for.
    pub to: u16,
    /// Which life of the sender sends it.
    pub from_incarnation: u32,
    /// Which life of the target it is for; never 0.
    pub to_incarnation: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Goes up with each probe of a sender's life, over all kinds that it sends of its own
    /// accord; nanoseconds of `CLOCK_BOOTTIME` do. An answer has the nonce of what it
    /// answers.
    pub nonce: u64,
    /// Epoch of the view that the sender of the probe has; kept in the answer.
    pub epoch: u64,
    /// In a reflection: the reflector's `CLOCK_BOOTTIME` in nanoseconds. Else 0.
    pub clock: u64,
    /// In a probe of the master: the [`Self::clock`] of an earlier reflection of this node,
    /// from which its lease runs; 0: no lease. Kept in the reflection.
    pub grant: u64,
    /// Nanoseconds that the lease lasts from `grant` on.
    pub lease: u64,
    /// SipHash-2-4 of all bytes before it.
    pub tag: u64,
}

const _: () = assert!(size_of::<Probe>() == BYTES);

impl Probe {
    /// The words of the wire: word `i` is bytes `8 * i ..`, read little endian.
    #[inline(always)]
    #[must_use]
    pub const fn pack(&self) -> [u64; WORDS] {
        [
            self.magic as u64
                | (self.version as u64) << 32
                | (self.kind as u64) << 40
                | (self.key_id as u64) << 48,
            self.from as u64 | (self.to as u64) << 16 | (self.from_incarnation as u64) << 32,
            self.to_incarnation as u64 | (self.flags as u64) << 32,
            self.nonce,
            self.epoch,
            self.clock,
            self.grant,
            self.lease,
            self.tag,
        ]
    }

    /// The inverse of [`Self::pack`]; checks nothing.
    #[inline(always)]
    #[must_use]
    pub const fn unpack(words: &[u64; WORDS]) -> Self {
        let [first, second, third, nonce, epoch, clock, grant, lease, tag] = *words;
        Self {
            magic: first as u32,
            version: (first >> 32) as u8,
            kind: (first >> 40) as u8,
            key_id: (first >> 48) as u16,
            from: second as u16,
            to: (second >> 16) as u16,
            from_incarnation: (second >> 32) as u32,
            to_incarnation: third as u32,
            flags: (third >> 32) as u32,
            nonce,
            epoch,
            clock,
            grant,
            lease,
            tag,
        }
    }

    /// Whether it is of this version and of a known kind.
    #[inline(always)]
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.magic == MAGIC
            && self.version == VERSION
            && self.kind >= kind::PROBE
            && self.kind as usize <= kind::COUNT
    }

    /// The tag that it has to have under a key.
    #[inline(always)]
    #[must_use]
    pub const fn expected_tag(&self, k0: u64, k1: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, _] = self.pack();
        siphash::tag(k0, k1, &[a, b, c, d, e, f, g, h])
    }

    /// What the target's kernel makes of it at `clock`, still without a tag.
    #[inline(always)]
    #[must_use]
    pub const fn reflection(&self, clock: u64, flags: u32) -> Self {
        Self {
            kind: kind::REFLECTION,
            from: self.to,
            to: self.from,
            from_incarnation: self.to_incarnation,
            to_incarnation: self.from_incarnation,
            flags,
            clock,
            tag: 0,
            ..*self
        }
    }

    /// The bytes of the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        for (place, word) in bytes.chunks_exact_mut(8).zip(self.pack()) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// From the bytes of the wire; checks nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let mut words = [0; WORDS];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(place);
            *word = u64::from_le_bytes(eight);
        }
        Self::unpack(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Probe = Probe {
        magic: MAGIC,
        version: VERSION,
        kind: kind::PROBE,
        key_id: 0x0102,
        from: 0x0304,
        to: 0x0506,
        from_incarnation: 0x0708_090a,
        to_incarnation: 0x0b0c_0d0e,
        flags: 0x0f10_1112,
        nonce: 1 << 63,
        epoch: 3,
        clock: 4,
        grant: 5,
        lease: 6,
        tag: 7,
    };

    #[test]
    fn the_wire_has_the_fields_in_order_little_endian() {
        let bytes = PROBE.to_bytes();
        assert_eq!(&bytes[..8], b"ssip\x01\x01\x02\x01");
        assert_eq!(&bytes[8..16], &[4, 3, 6, 5, 10, 9, 8, 7]);
        assert_eq!(&bytes[16..24], &[14, 13, 12, 11, 0x12, 0x11, 0x10, 15]);
        assert_eq!(&bytes[24..32], &[0, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(Probe::from_bytes(&bytes), PROBE);
    }

    #[test]
    fn the_tag_covers_every_bit_but_its_own() {
        let bytes = PROBE.to_bytes();
        let right = PROBE.expected_tag(1, 2);
        for bit in 0..8 * BYTES {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let same = Probe::from_bytes(&flipped).expected_tag(1, 2) == right;
            assert_eq!(same, bit >= 64 * BODY, "bit {bit}");
        }
        assert_ne!(PROBE.expected_tag(2, 1), right);
    }

    #[test]
    fn a_reflection_goes_the_other_way() {
        let there = PROBE.reflection(99, flag::HOLDS);
        assert_eq!((there.from, there.to), (PROBE.to, PROBE.from));
        assert_eq!((there.clock, there.flags), (99, flag::HOLDS));
        assert_eq!(there.nonce, PROBE.nonce);
        let back = there.reflection(PROBE.clock, PROBE.flags);
        assert_eq!(
            (back.from, back.from_incarnation, back.to_incarnation),
            (PROBE.from, PROBE.from_incarnation, PROBE.to_incarnation)
        );
    }
}
