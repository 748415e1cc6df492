//! What goes over a connection: frames, each a header of [`HEADER`] bytes and a body.

mod decode;
mod hello;
mod mac;

use bytes::Bytes;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Lane, Priority};
pub use decode::{Decoder, Refused};
pub use hello::{Hello, Security};
pub use mac::{Mac, SharedKey};

/// First two bytes of every frame.
pub const MAGIC: u16 = u16::from_le_bytes(*b"si");
/// Changes whenever the layout or the meaning of a frame does.
pub const VERSION: u8 = 2;
/// Bytes of a header.
pub const HEADER: usize = size_of::<Wire>();
/// Most bytes of a body; more goes as a stream.
pub const LARGEST: usize = 16 << 20;
/// Most bytes of one chunk of a stream.
pub const CHUNK: usize = 64 << 10;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A call that wants a reply.
    Call = 1,
    /// A call that wants none.
    OneWay = 2,
    /// The reply to a call; it gives the call's credit back.
    Reply = 3,
    /// A call went wrong; it gives the call's credit back.
    Failure = 4,
    /// The caller gave up.
    Cancel = 5,
    /// Credit: for a service, or with [`flag::STREAM`] for a stream.
    Credit = 6,
    /// A chunk of a stream.
    Data = 7,
    /// The end of a stream.
    DataEnd = 8,
    /// Who speaks; the first frames of a connection.
    Hello = 9,
    /// Only an acknowledgement, for when there is nothing else to say.
    Ack = 10,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Call,
        Self::OneWay,
        Self::Reply,
        Self::Failure,
        Self::Cancel,
        Self::Credit,
        Self::Data,
        Self::DataEnd,
        Self::Hello,
        Self::Ack,
    ];

    /// Most bytes of its body.
    #[must_use]
    pub const fn largest(self) -> usize {
        match self {
            Self::Call | Self::OneWay | Self::Reply => LARGEST,
            Self::Failure => 8 << 10,
            Self::Data => CHUNK,
            Self::Hello => 256,
            Self::Cancel | Self::Credit | Self::DataEnd | Self::Ack => 0,
        }
    }

    /// Whether it is of the session, which outlasts connections, so that it is acknowledged
    /// and sent again. The others are of their connection.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        !matches!(self, Self::Hello | Self::Ack)
    }
}

/// Bits of [`Header::flags`].
pub mod flag {
    /// Of a call: a stream follows on the bulk lane. Of a credit: it is for a stream. Of a
    /// reply or failure: the call brought a stream.
    pub const STREAM: u16 = 1 << 0;
    /// Of a hello: it is the second one, by which each end proves that it can tag frames.
    pub const CONFIRM: u16 = 1 << 1;
}

/// What a frame says about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// The lane it is on.
    pub lane: Lane,
    /// Priority of the call that it is about.
    pub priority: Priority,
    /// Bits of [`flag`].
    pub flags: u16,
    /// The service that it is about.
    pub service: u16,
    /// What the service is asked for; of a credit, how much.
    pub op: u16,
    /// The call that it is about, by the caller's number for it.
    pub request: u64,
    /// Epoch of the sender's view.
    pub epoch: u64,
    /// Milliseconds that the caller goes on waiting; 0: for ever.
    pub deadline_ms: u32,
    /// Low 32 bits of how many frames of the session the sender has received on this lane.
    pub ack: u32,
}

impl Header {
    /// A header with everything else zero.
    #[must_use]
    pub const fn new(kind: Kind, lane: Lane) -> Self {
        Self {
            kind,
            lane,
            priority: Priority::LOWEST,
            flags: 0,
            service: 0,
            op: 0,
            request: 0,
            epoch: 0,
            deadline_ms: 0,
            ack: 0,
        }
    }

    /// As it is sent, for a body of `length` bytes.
    #[must_use]
    pub fn encode(&self, length: usize) -> [u8; HEADER] {
        let wire = Wire {
            magic: U16::new(MAGIC),
            version: VERSION,
            kind: self.kind as u8,
            lane: self.lane.number(),
            priority: self.priority.get(),
            flags: U16::new(self.flags),
            service: U16::new(self.service),
            op: U16::new(self.op),
            // Bodies have at most `LARGEST` bytes: whoever queues one has looked.
            length: U32::new(length as u32),
            request: U64::new(self.request),
            epoch: U64::new(self.epoch),
            deadline_ms: U32::new(self.deadline_ms),
            ack: U32::new(self.ack),
        };
        zerocopy::transmute!(wire)
    }
}

/// A header and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it says about its body.
    pub header: Header,
    /// The body.
    pub body: Bytes,
}

impl Frame {
    /// Bytes on the wire, without a tag.
    #[must_use]
    pub fn bytes(&self) -> usize {
        HEADER + self.body.len()
    }
}

/// A header on the wire: little endian, without padding.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Wire {
    magic: U16,
    version: u8,
    kind: u8,
    lane: u8,
    priority: u8,
    flags: U16,
    service: U16,
    op: U16,
    length: U32,
    request: U64,
    epoch: U64,
    deadline_ms: U32,
    ack: U32,
}

const _: () = assert!(HEADER == 40);
