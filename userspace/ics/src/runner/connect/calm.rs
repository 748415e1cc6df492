//! Streams that acknowledge in the kernel no sooner than they have to.
//!
//! Calls go one way and replies come another, so that no connection carries an answer that an
//! acknowledgement could go along with. Linux then acknowledges every small message as soon
//! as it is read, before the reader gets on: a packet of its own, there and through the other
//! end's stack, that costs more than all that is done here. Without quick acknowledgements
//! (`TCP_QUICKACK`, Linux 2.4.4) it is every second. The kernel goes back to its habit once
//! such an acknowledgement had to wait for its timer, 40 ms at least.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::runner::bypass::Below;

/// Silence after which the kernel may be back at its habit: less than its timer by more than
/// a step of the clock.
const HABIT: Duration = Duration::from_millis(25);

/// A stream that keeps acknowledgements back.
#[derive(Debug)]
pub(super) struct Calm<S> {
    stream: S,
    /// When something was read last.
    read: Option<Duration>,
}

impl<S: Below> Below for Calm<S> {
    fn socket(&self) -> &TcpStream {
        self.stream.socket()
    }
}

impl<S: Below> Calm<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, read: None }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn calm_down(&mut self) {
        if self.read.is_none_or(|read| now() - read >= HABIT) {
            // A kernel that would not do it would only be slower.
            let _ = SockRef::from(self.socket()).set_tcp_quickack(false);
        }
    }
}

/// The time of the kernel's last tick, up to 10 ms ago, which is cheap to ask for (Linux 2.6.32).
fn now() -> Duration {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

impl<S: AsyncRead + Below + Unpin> AsyncRead for Calm<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.calm_down();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.read = Some(now());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Calm<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
