//! A stream of which only whole records are read, and no byte of the one after them: whoever
//! takes over finds all that is left in the stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::runner::bypass::Below;
use ssi_records::{CONTENT, EXPANSION, HEADER, length};

/// Bytes that are read at a time.
const PIECE: usize = 2048;

/// A stream of which only whole records are read.
pub(in crate::runner) struct Whole<S> {
    stream: S,
    /// A record, as far as it has come.
    record: BytesMut,
    /// It is complete, and being taken.
    complete: bool,
}

impl<S> Whole<S> {
    pub(in crate::runner) fn new(stream: S) -> Self {
        Self {
            stream,
            record: BytesMut::new(),
            complete: false,
        }
    }

    /// Whether a part of a record has been taken.
    pub(super) fn is_torn(&self) -> bool {
        self.complete && !self.record.is_empty()
    }

    /// The stream, and what has been read of it and not been taken: a record or its beginning.
    pub(super) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.record)
    }
}

impl<S: AsyncRead + Unpin> Whole<S> {
    /// The next record, complete; none: there is no more.
    pub(super) fn poll_record(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<&mut BytesMut>>> {
        if self.complete && self.record.is_empty() {
            self.complete = false;
        }
        while !self.complete {
            let wanted = match length(&self.record) {
                None => HEADER,
                Some(length) if length > HEADER + CONTENT + EXPANSION => {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Some(length) => length,
            };
            let missing = wanted - self.record.len();
            if missing == 0 {
                self.complete = true;
                break;
            }
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece[..missing.min(PIECE)]);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(None));
            }
            self.record.extend_from_slice(piece.filled());
        }
        Poll::Ready(Ok(Some(&mut self.record)))
    }
}

impl<S: Below> Below for Whole<S> {
    fn socket(&self) -> &TcpStream {
        self.stream.socket()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Whole<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(record) = ready!(self.poll_record(cx))? {
            let count = record.len().min(buffer.remaining());
            buffer.put_slice(&record[..count]);
            record.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Whole<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
