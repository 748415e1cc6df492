//! Datagrams in pieces.

use super::{Body, Extension, Packet};

/// Identification of IPv6 fragments.
pub const ID: u32 = 0xfeed_beef;

impl Packet {
    /// In fragments whose bodies have `size` bytes, a multiple of 8; the last one the rest.
    pub fn fragments(&self, size: usize) -> Vec<Self> {
        assert!(size.is_multiple_of(8));
        let body = self.ip.transport();
        let protocol = self.ip.body.protocol(self.ip.source.is_ipv4());
        let count = body.len().div_ceil(size);
        let piece = |(i, chunk): (usize, &[u8])| {
            let (offset, more) = ((i * size) as u16, i + 1 < count);
            let mut packet = self.clone();
            packet.ip.body = Body::Raw(protocol, chunk.to_vec());
            if packet.ip.source.is_ipv4() {
                packet.ip.dont_fragment = false;
                packet.ip.fragment = (more, offset);
            } else {
                packet
                    .ip
                    .extensions
                    .push(Extension::Fragment(offset, more, ID));
            }
            packet
        };
        body.chunks(size).enumerate().map(piece).collect()
    }
}
