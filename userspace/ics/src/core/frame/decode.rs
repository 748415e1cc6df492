//! From bytes, however they were split on the way, to frames.

use bytes::{Bytes, BytesMut};
use zerocopy::FromBytes;

use super::mac::TAG;
use super::{CHUNK, Frame, HEADER, Header, Kind, MAGIC, Mac, VERSION, Wire};
use crate::core::{Lane, Priority};

/// Why a frame was refused. The connection it came over is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no frame.
    #[error("magic is {0:#06x}, not {MAGIC:#06x}")]
    Magic(u16),
    /// It is of another version of the protocol.
    #[error("version is {0}, not {VERSION}")]
    Version(u8),
    /// There is no such kind.
    #[error("kind is {0}, which is none")]
    Kind(u8),
    /// It is of another lane than its connection, or of none.
    #[error("lane is {found}, on the connection of lane {lane}")]
    Lane {
        /// What it says.
        found: u8,
        /// What it has to say.
        lane: u8,
    },
    /// There is no such priority.
    #[error("priority is {0}, which is none")]
    Priority(u8),
    /// Its body is larger than that of its kind can be.
    #[error("length is {length}, more than {limit}, for the kind {kind:?}")]
    Length {
        /// Its kind.
        kind: Kind,
        /// What it says.
        length: u32,
        /// The most it may say.
        limit: usize,
    },
    /// It comes before the other end has said who it is.
    #[error("a frame of the kind {0:?} before the hellos")]
    Early(Kind),
    /// Its tag is not what the key makes of it.
    #[error("the tag is wrong")]
    Tag,
}

/// Bodies up to this size are copied out: a few bytes must not keep a large buffer alive.
const COPIED: usize = 4 << 10;

/// Takes the bytes of one connection and gives the frames in them. It holds no more than
/// one frame and what was read after it.
#[derive(Debug)]
pub struct Decoder {
    lane: Lane,
    mac: Option<Mac>,
    greeting: bool,
    buffer: BytesMut,
    /// Bytes at the end of the buffer that are no frames yet.
    sealed: usize,
    /// Header of a frame whose body is still coming.
    begun: Option<(Header, usize)>,
}

impl Decoder {
    /// For a connection of this lane on which hellos have been said.
    #[must_use]
    pub fn new(lane: Lane) -> Self {
        Self {
            lane,
            mac: None,
            greeting: false,
            buffer: BytesMut::new(),
            sealed: 0,
            begun: None,
        }
    }

    /// For a connection of this lane on which nobody has said anything: nothing but hellos
    /// is taken, so that a stranger can't make this node hold more than one of those.
    #[must_use]
    pub fn greeting(lane: Lane) -> Self {
        Self {
            greeting: true,
            ..Self::new(lane)
        }
    }

    /// Hellos have been said.
    pub fn greeted(&mut self) {
        self.greeting = false;
    }

    /// From now on, every frame has to have its tag.
    pub fn require(&mut self, mac: Mac) {
        self.mac = Some(mac);
    }

    /// Where bytes that have been read are appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The same for bytes that have to be opened first: the buffer, and how many at its end
    /// are not. Whoever opens some of them puts what they become in their place, lets what
    /// is left follow at once, and says how many those are.
    pub fn sealed(&mut self) -> (&mut BytesMut, &mut usize) {
        (&mut self.buffer, &mut self.sealed)
    }

    /// Bytes that are frames or parts of them.
    fn open(&self) -> &[u8] {
        &self.buffer[..self.buffer.len() - self.sealed]
    }

    /// How many bytes are missing to the end of the frame that has begun to come; 0 if none
    /// has. Reading that many at once saves copying a large body while its buffer grows.
    #[must_use]
    pub fn missing(&self) -> usize {
        match &self.begun {
            Some((_, length)) => (length + self.trailer()).saturating_sub(self.open().len()),
            None => 0,
        }
    }

    /// Bytes to the end of the frame that has begun to come, or of a chunk if none has, and of
    /// so many chunks after it.
    #[must_use]
    pub fn room(&self, chunks: usize) -> usize {
        let whole = HEADER + CHUNK + self.trailer();
        let first = match self.begun {
            Some(_) => self.missing(),
            // Its header may have come in part.
            None => whole.saturating_sub(self.open().len()),
        };
        first + chunks * whole
    }

    /// The next frame, if it is complete.
    ///
    /// # Errors
    /// What comes is no frame of this lane; nothing after it can be trusted.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Refused> {
        let (header, length) = match self.begun {
            Some(begun) => begun,
            None => {
                let Some(bytes) = self.open().first_chunk::<HEADER>() else {
                    return Ok(None);
                };
                let begun = check(bytes, self.lane)?;
                if self.greeting && begun.0.kind != Kind::Hello {
                    return Err(Refused::Early(begun.0.kind));
                }
                let head = self.buffer.split_to(HEADER);
                if let Some(mac) = &mut self.mac {
                    mac.begin(&head);
                }
                self.begun = Some(begun);
                begun
            }
        };
        let trailer = self.trailer();
        if self.open().len() < length + trailer {
            return Ok(None);
        }
        self.begun = None;
        let body = if length <= COPIED {
            let body = Bytes::copy_from_slice(&self.buffer[..length]);
            bytes::Buf::advance(&mut self.buffer, length);
            body
        } else {
            self.buffer.split_to(length).freeze()
        };
        if let Some(mac) = &mut self.mac {
            let tag = self.buffer.split_to(TAG);
            if mac.end(&body) != tag[..] {
                return Err(Refused::Tag);
            }
        }
        Ok(Some(Frame { header, body }))
    }

    fn trailer(&self) -> usize {
        if self.mac.is_some() { TAG } else { 0 }
    }
}

fn check(bytes: &[u8; HEADER], on: Lane) -> Result<(Header, usize), Refused> {
    let wire = Wire::ref_from_bytes(bytes).expect("as long as a header");
    if wire.magic.get() != MAGIC {
        return Err(Refused::Magic(wire.magic.get()));
    }
    if wire.version != VERSION {
        return Err(Refused::Version(wire.version));
    }
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| *kind as u8 == wire.kind)
        .ok_or(Refused::Kind(wire.kind))?;
    if wire.lane != on.number() {
        return Err(Refused::Lane {
            found: wire.lane,
            lane: on.number(),
        });
    }
    let priority = Priority::new(wire.priority).ok_or(Refused::Priority(wire.priority))?;
    let length = wire.length.get();
    let limit = kind.largest();
    if length as usize > limit {
        return Err(Refused::Length {
            kind,
            length,
            limit,
        });
    }
    let header = Header {
        kind,
        lane: on,
        priority,
        flags: wire.flags.get(),
        service: wire.service.get(),
        op: wire.op.get(),
        request: wire.request.get(),
        epoch: wire.epoch.get(),
        deadline_ms: wire.deadline_ms.get(),
        ack: wire.ack.get(),
    };
    Ok((header, length as usize))
}

#[cfg(test)]
mod tests;
