//! A connection after the handshake, while hellos are said: record by record.

use std::io::{self, Read as _};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use rustls::{ConnectionCommon, Error, ExtractedSecrets};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::keys::traffic;
use super::{Opener, Sealer, Whole};
use crate::runner::bypass::Below;

/// A connection on which records are sealed and opened here.
pub(in crate::runner) struct Sealed<S> {
    stream: Whole<S>,
    opener: Opener,
    sealer: Sealer,
    /// What has been opened and not been read.
    opened: BytesMut,
    /// What has been sealed and not been written.
    out: BytesMut,
}

/// What a connection is made of.
pub(in crate::runner) struct Parts<S> {
    pub(in crate::runner) stream: S,
    pub(in crate::runner) opener: Opener,
    pub(in crate::runner) sealer: Sealer,
    /// What has been opened and not been read.
    pub(in crate::runner) opened: BytesMut,
    /// What has been read and not been opened.
    pub(in crate::runner) sealed: BytesMut,
}

impl<S> Sealed<S> {
    /// Takes over from rustls, after the handshake. `secrets` takes them out of the session.
    ///
    /// # Errors
    /// The handshake isn't over.
    pub(in crate::runner) fn new<C, D>(
        stream: Whole<S>,
        mut session: C,
        secrets: impl FnOnce(C) -> Result<ExtractedSecrets, Error>,
    ) -> Result<Self, Error>
    where
        C: DerefMut<Target = ConnectionCommon<D>>,
    {
        if stream.is_torn() {
            return Err(Error::HandshakeNotComplete);
        }
        // The first record may have come along with the end of the handshake.
        let mut early = Vec::new();
        // That there is no more for now is an error to it.
        let _ = session.reader().read_to_end(&mut early);
        let secrets = secrets(session)?;
        Ok(Self {
            stream,
            opener: Opener::new(traffic(secrets.rx)?),
            sealer: Sealer::new(traffic(secrets.tx)?),
            opened: BytesMut::from(&early[..]),
            out: BytesMut::new(),
        })
    }

    pub(in crate::runner) fn into_parts(self) -> Parts<S> {
        let (stream, sealed) = self.stream.into_parts();
        Parts {
            stream,
            opener: self.opener,
            sealer: self.sealer,
            opened: self.opened,
            sealed,
        }
    }
}

impl<S: Below> Below for Sealed<S> {
    fn socket(&self) -> &TcpStream {
        self.stream.socket()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sealed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.opened.is_empty() && !this.opener.is_closed() {
            let Some(record) = ready!(this.stream.poll_record(cx))? else {
                return Poll::Ready(Ok(()));
            };
            let mut sealed = record.len();
            let opened = this.opener.open(record, &mut sealed);
            opened.map_err(io::Error::other)?;
            this.opened = record.split();
        }
        let count = this.opened.len().min(buffer.remaining());
        buffer.put_slice(&this.opened[..count]);
        this.opened.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sealed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let this = self.get_mut();
        let sealed = this.sealer.seal([bytes], &mut this.out);
        sealed.map_err(io::Error::other)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.out.is_empty() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.out.advance(written);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
