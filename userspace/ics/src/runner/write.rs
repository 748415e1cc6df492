//! Writing: whoever has something to say writes it, as far as the socket takes it; what is
//! left is the connection's own task's.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::AsyncWrite as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use super::remote::{Remote, lock};
use super::seal::Sealer;
use crate::core::Moment;
use crate::core::frame::{HEADER, Header, Mac};
use crate::core::peer::Conn;

/// Bytes that are taken from the engine at a time, and written before anybody else in the
/// same thread gets on.
const BATCH: usize = 128 << 10;
/// Bodies up to this size are copied behind their headers.
const COPIED: usize = 8 << 10;
/// Slices that one write has at most.
const SLICES: usize = 32;

/// Where to write, and what seals records, if there are any.
pub(super) struct Writing {
    stream: OwnedWriteHalf,
    sealer: Option<Sealer>,
}

impl Writing {
    pub(super) fn new(stream: OwnedWriteHalf, sealer: Option<Sealer>) -> Self {
        Self { stream, sealer }
    }
}

/// The writing end of a connection.
pub(super) struct Writer {
    pub(super) conn: Conn,
    state: Mutex<State>,
    /// The connection's task has something to do.
    wake: Notify,
}

struct State {
    io: Writing,
    mac: Option<Mac>,
    /// What has been taken from the engine and is not written.
    rest: VecDeque<Bytes>,
    scratch: BytesMut,
    /// Where records are made.
    records: BytesMut,
    /// The socket is full, and the connection's task waits for it: nobody else may touch
    /// it, for that would take the task's place in the socket's list of wakers.
    full: bool,
    failed: Option<io::Error>,
}

impl Writer {
    pub(super) fn new(conn: Conn, io: Writing, mac: Option<Mac>) -> Self {
        Self {
            conn,
            state: Mutex::new(State {
                io,
                mac,
                rest: VecDeque::new(),
                scratch: BytesMut::new(),
                records: BytesMut::new(),
                full: false,
                failed: None,
            }),
            wake: Notify::new(),
        }
    }

    /// Writes what there is, if nobody else does, the socket takes it, and whoever runs now
    /// may.
    pub(super) fn try_pump(&self, remote: &Arc<Remote>, now: Moment) {
        if !remote.shared.workers.may_write(self.conn.lane) {
            self.wake.notify_one();
            return;
        }
        let Ok(mut state) = self.state.try_lock() else {
            self.wake.notify_one();
            return;
        };
        if state.full {
            return;
        }
        let mut cx = Context::from_waker(Waker::noop());
        match state.pump(remote, self.conn, now, &mut cx) {
            Poll::Ready(Ok(false)) => return,
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Err(error)) => state.failed = Some(error),
            Poll::Pending => state.full = true,
        }
        self.wake.notify_one();
    }

    /// Writes whatever others leave; until the connection fails.
    pub(super) async fn run(&self, remote: &Arc<Remote>) -> io::Error {
        loop {
            let pumped = std::future::poll_fn(|cx| {
                let mut state = lock(&self.state);
                if let Some(error) = state.failed.take() {
                    return Poll::Ready(Err(error));
                }
                let now = remote.shared.now();
                let pumped = state.pump(remote, self.conn, now, cx);
                state.full = pumped.is_pending();
                pumped
            });
            match pumped.await {
                Ok(false) => self.wake.notified().await,
                Ok(true) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    }
}

impl State {
    /// Writes one batch; true: there may be more.
    fn pump(
        &mut self,
        remote: &Arc<Remote>,
        conn: Conn,
        now: Moment,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        let mut took = false;
        loop {
            if self.rest.is_empty() {
                if took {
                    return Poll::Ready(Ok(true));
                }
                let mut size = 0;
                remote.look(|engine| {
                    while size < BATCH
                        && let Some((header, body)) = engine.peer.take(now, conn)
                    {
                        size += HEADER + body.len();
                        self.add(&header, body);
                    }
                });
                took = size >= BATCH;
                if !self.scratch.is_empty() {
                    self.rest.push_back(self.scratch.split().freeze());
                }
                self.seal()?;
            }
            if self.rest.is_empty() {
                return Poll::Ready(Ok(false));
            }
            let stream = Pin::new(&mut self.io.stream);
            let written = if self.rest.len() == 1 {
                // A little cheaper for the kernel than one of many.
                stream.poll_write(cx, &self.rest[0])
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let mut count = 0;
                for (slice, bytes) in slices.iter_mut().zip(&self.rest) {
                    *slice = IoSlice::new(bytes);
                    count += 1;
                }
                stream.poll_write_vectored(cx, &slices[..count])
            };
            let mut written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            while let Some(first) = self.rest.front_mut()
                && written > 0
            {
                let step = first.len().min(written);
                written -= step;
                first.advance(step);
                if first.is_empty() {
                    self.rest.pop_front();
                }
            }
        }
    }

    /// Makes records of what is to be written, if there are any.
    fn seal(&mut self) -> io::Result<()> {
        let Some(sealer) = &mut self.io.sealer else {
            return Ok(());
        };
        let sealed = sealer.seal(self.rest.drain(..), &mut self.records);
        sealed.map_err(io::Error::other)?;
        if !self.records.is_empty() {
            self.rest.push_back(self.records.split().freeze());
        }
        Ok(())
    }

    fn add(&mut self, header: &Header, body: &Bytes) {
        let header = header.encode(body.len());
        self.scratch.put_slice(&header);
        if body.len() <= COPIED {
            self.scratch.put_slice(body);
        } else {
            self.rest.push_back(self.scratch.split().freeze());
            self.rest.push_back(body.clone());
        }
        if let Some(mac) = &mut self.mac {
            mac.begin(&header);
            self.scratch.put_slice(&mac.end(body));
        }
    }
}
