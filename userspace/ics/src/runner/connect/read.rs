//! Reading: into the buffer that frames are taken from, and opened there.

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;

use super::Refusal;
use super::calm::Calm;
use crate::core::Lane;
use crate::core::frame::Decoder;
use crate::runner::seal::Opener;

/// Bytes for which there is room whenever something is read: a few frames. A cluster has
/// hundreds of connections, most of which have little to say.
const LITTLE: usize = 4 << 10;
/// The same where that many came last time.
const MUCH: usize = 64 << 10;
/// The same then on the bulk lane with records, where the part of a chunk that comes with the
/// chunks before it is copied once more, into the next buffer: few of many are.
const BULK: usize = 256 << 10;
/// Chunks for which there is room on the bulk lane without records, after the frame that has
/// begun: a buffer ends where a chunk does, so that none is copied.
const CHUNKS: usize = 3;
/// Most bytes for which room is made because a body is that large.
const READ_AHEAD: usize = 1 << 20;

/// The reading end of a connection.
pub(super) struct Reading {
    stream: Calm<OwnedReadHalf>,
    opener: Option<Opener>,
    /// The last read has brought much, or all that there was room for.
    much: bool,
}

impl Reading {
    /// `opener`: what opens records, if there are any.
    pub(super) fn new(stream: OwnedReadHalf, opener: Option<Opener>) -> Self {
        Self {
            stream: Calm::new(stream),
            opener,
            much: false,
        }
    }

    /// Opens what is there of records.
    pub(super) fn open(&mut self, decoder: &mut Decoder) -> Result<(), Refusal> {
        if let Some(opener) = &mut self.opener {
            let (buffer, sealed) = decoder.sealed();
            opener.open(buffer, sealed)?;
        }
        Ok(())
    }

    /// Reads once, for a connection of this lane; how many bytes of the wire came. There need
    /// not be a frame among them.
    pub(super) async fn read(
        &mut self,
        lane: Lane,
        decoder: &mut Decoder,
    ) -> Result<usize, Refusal> {
        if self.opener.as_ref().is_some_and(Opener::is_closed) {
            return Err(Refusal::Closed);
        }
        let usual = match lane {
            _ if !self.much => LITTLE,
            Lane::Bulk => BULK,
            _ => MUCH,
        };
        let room = decoder.missing().clamp(usual, READ_AHEAD);
        let whole = Some(decoder.room(CHUNKS)).filter(|room| {
            self.much && self.opener.is_none() && lane == Lane::Bulk && *room <= READ_AHEAD
        });
        let (buffer, sealed) = decoder.sealed();
        if !self.much && buffer.is_empty() && buffer.capacity() > LITTLE {
            // What much came into is not kept for little.
            *buffer = BytesMut::new();
        }
        let left = buffer.capacity() - buffer.len();
        if let Some(whole) = whole {
            if left == 0 {
                let mut next = BytesMut::with_capacity(buffer.len() + whole);
                next.extend_from_slice(buffer);
                *buffer = next;
            }
        } else if left < usual / 4 {
            buffer.reserve(room);
        }
        let count = self.stream.read_buf(buffer).await?;
        if count == 0 {
            return Err(Refusal::Closed);
        }
        self.much = count >= LITTLE || buffer.len() == buffer.capacity();
        if self.opener.is_some() {
            *sealed += count;
            self.open(decoder)?;
        }
        Ok(count)
    }
}
