//! Streams: data of any length that comes along with a call, on the bulk lane.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use super::handler::Cancelled;
use super::remote::Remote;
use crate::core::peer::{Blocked, CallId, Token};

/// A stream ended before it was complete: the caller gave up, or its node has gone. Of a
/// stream that is being sent: the call is complete, and its reply says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream was cut off")]
pub struct Cut;

/// Why a file was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendFileError {
    /// It can't be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The call is complete.
    #[error(transparent)]
    Cut(#[from] Cut),
}

/// Bytes that are read of a file at a time.
const PIECE: u64 = 256 << 10;
/// Chunks that are sent before anybody else in the same thread gets on.
const TURN: usize = 8;

/// What comes over a stream.
#[derive(Debug)]
pub(super) enum Piece {
    Data(Bytes),
    End,
}

/// The end of a stream at which a handler reads.
pub struct StreamIn {
    remote: Arc<Remote>,
    token: Token,
    pieces: mpsc::UnboundedReceiver<Piece>,
    cancelled: Cancelled,
    ended: bool,
}

impl StreamIn {
    pub(super) fn new(
        remote: Arc<Remote>,
        token: Token,
        pieces: mpsc::UnboundedReceiver<Piece>,
        cancelled: Cancelled,
    ) -> Self {
        Self {
            remote,
            token,
            pieces,
            cancelled,
            ended: false,
        }
    }

    /// The next chunk, of at most 64 KiB; none after the last. Chunks that are not asked
    /// for stay with the sender, apart from a few on their way.
    ///
    /// # Errors
    /// The stream was cut off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        if self.ended {
            return Ok(None);
        }
        // What came before the node went is not delivered after.
        if self.cancelled.is_set() {
            return Err(Cut);
        }
        match self.pieces.recv().await {
            Some(Piece::Data(bytes)) => {
                self.remote
                    .tell(|engine, _| engine.peer.consumed(self.token));
                Ok(Some(bytes))
            }
            Some(Piece::End) => {
                self.ended = true;
                Ok(None)
            }
            None => Err(Cut),
        }
    }
}

impl std::fmt::Debug for StreamIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamIn")
            .field("token", &self.token)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The end of a stream at which a caller writes. Dropping it before it has
/// [`finish`](Self::finish)ed cancels the call, so that no handler takes a part for all.
pub struct StreamOut {
    remote: Arc<Remote>,
    call: CallId,
    writable: Arc<Notify>,
    finished: bool,
}

impl StreamOut {
    pub(super) fn new(remote: Arc<Remote>, call: CallId, writable: Arc<Notify>) -> Self {
        Self {
            remote,
            call,
            writable,
            finished: false,
        }
    }

    /// Sends some more; waits while the other end has enough. The bytes are not copied.
    ///
    /// # Errors
    /// The call is complete.
    pub async fn send(&mut self, mut data: Bytes) -> Result<(), Cut> {
        for turn in 1.. {
            if data.is_empty() {
                break;
            }
            let sent = self
                .remote
                .tell(|engine, _| engine.peer.stream_data(self.call, &mut data));
            match sent {
                // Others want to get on, the bulk thread with what was just sent among them.
                Ok(()) if turn % TURN == 0 => tokio::task::yield_now().await,
                Ok(()) => {}
                Err(Blocked::Full) => self.writable.notified().await,
                Err(Blocked::Over) => return Err(Cut),
            }
        }
        Ok(())
    }

    /// Sends what a file has from where it stands to its end; how many bytes. They are read
    /// into what is written to the connection, and copied nowhere else.
    ///
    /// # Errors
    /// The file can't be read, after some of it was sent perhaps, or the call is complete.
    pub async fn send_file(&mut self, file: File) -> Result<u64, SendFileError> {
        let file = Arc::new(file);
        let mut sent = 0;
        loop {
            let file = Arc::clone(&file);
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = Vec::with_capacity(PIECE as usize);
                let read = file.as_ref().take(PIECE).read_to_end(&mut piece);
                read.map(|_| piece)
            });
            let piece = read.await.map_err(io::Error::from)??;
            if piece.is_empty() {
                return Ok(sent);
            }
            sent += piece.len() as u64;
            self.send(piece.into()).await?;
        }
    }

    /// That was all.
    ///
    /// # Errors
    /// The call is complete.
    pub async fn finish(mut self) -> Result<(), Cut> {
        loop {
            let ended = self
                .remote
                .tell(|engine, _| engine.peer.stream_end(self.call));
            match ended {
                Ok(()) => {
                    self.finished = true;
                    return Ok(());
                }
                Err(Blocked::Full) => self.writable.notified().await,
                Err(Blocked::Over) => return Err(Cut),
            }
        }
    }
}

impl Drop for StreamOut {
    fn drop(&mut self) {
        if !self.finished {
            self.remote
                .tell(|engine, now| engine.peer.cancel(now, self.call));
        }
    }
}
