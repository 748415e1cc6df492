//! The first frames of a connection: who speaks, and what of the session it has.

use bytes::Bytes;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Frame, Header, Kind};
use crate::core::{Lane, Node};

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Security {
    /// Not at all.
    None = 0,
    /// By tags ([`Mac`](super::Mac)): nobody else can speak, anybody can listen.
    Mac = 1,
    /// By TLS 1.3, mutual.
    Tls = 2,
}

/// Who speaks. Each end sends one; the one that dialled, first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The speaker.
    pub node: Node,
    /// Which life of it.
    pub incarnation: u32,
    /// Whom it means to speak to.
    pub to: Node,
    /// Which life of that.
    pub to_incarnation: u32,
    /// The speaker's lane.
    pub lane: Lane,
    /// How it protects its connections.
    pub security: Security,
    /// Which cluster it belongs to.
    pub cluster: [u8; 16],
    /// Its own number for the session, never 0: higher than any that the speaker has used in
    /// this life.
    pub session: u64,
    /// How many frames of the session it has received on this lane; 0 in a first hello.
    pub received: u64,
    /// How many calls per lane and service it takes at once.
    pub window: u16,
    /// How many chunks of a stream it takes at once.
    pub chunks: u16,
    /// Fresh for each connection.
    pub nonce: [u8; 16],
}

impl Hello {
    /// As a frame.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let wire = Wire {
            node: U16::new(self.node),
            to: U16::new(self.to),
            incarnation: U32::new(self.incarnation),
            to_incarnation: U32::new(self.to_incarnation),
            window: U16::new(self.window),
            chunks: U16::new(self.chunks),
            session: U64::new(self.session),
            received: U64::new(self.received),
            cluster: self.cluster,
            nonce: self.nonce,
            security: self.security as u8,
        };
        Frame {
            header: Header::new(Kind::Hello, self.lane),
            body: Bytes::copy_from_slice(wire.as_bytes()),
        }
    }

    /// What a frame says, if it is a hello.
    #[must_use]
    pub fn from_frame(frame: &Frame) -> Option<Self> {
        if frame.header.kind != Kind::Hello {
            return None;
        }
        let wire = Wire::ref_from_bytes(&frame.body).ok()?;
        Some(Self {
            node: wire.node.get(),
            incarnation: wire.incarnation.get(),
            to: wire.to.get(),
            to_incarnation: wire.to_incarnation.get(),
            lane: frame.header.lane,
            security: match wire.security {
                0 => Security::None,
                1 => Security::Mac,
                2 => Security::Tls,
                _ => return None,
            },
            cluster: wire.cluster,
            session: wire.session.get(),
            received: wire.received.get(),
            window: wire.window.get(),
            chunks: wire.chunks.get(),
            nonce: wire.nonce,
        })
    }
}

/// The body of a hello on the wire.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Wire {
    node: U16,
    to: U16,
    incarnation: U32,
    to_incarnation: U32,
    window: U16,
    chunks: U16,
    session: U64,
    received: U64,
    cluster: [u8; 16],
    nonce: [u8; 16],
    security: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_arrives_as_it_was_sent() {
        let hello = Hello {
            node: 3,
            incarnation: 7,
            to: 511,
            to_incarnation: 1,
            lane: Lane::Bulk,
            security: Security::Tls,
            cluster: [9; 16],
            session: u64::MAX,
            received: 12,
            window: 64,
            chunks: 16,
            nonce: [5; 16],
        };
        let mut frame = hello.frame();
        assert_eq!(Hello::from_frame(&frame), Some(hello));
        frame.body = frame.body.slice(1..);
        assert_eq!(Hello::from_frame(&frame), None);
    }
}
