//! Waiting for many descriptors at once, without anything that is kept for each but its
//! number.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::Timespec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::watch::Token;

/// How many are heard of before others have their turn.
const BATCH: usize = 16;
const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// An epoll(7) of our own, which the runtime waits for as one descriptor.
#[derive(Debug)]
pub(super) struct Poll {
    epoll: AsyncFd<OwnedFd>,
    last: Token,
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // SAFETY: the descriptor belongs to the AsyncFd from here on, and is the same as long
        // as it lives.
        let epoll = unsafe { AsyncFd::register_with_interest(epoll, Interest::READABLE) }?;
        Ok(Self { epoll, last: 0 })
    }

    /// Begins to wait for a descriptor. Closing it ends that.
    pub(super) fn add(&mut self, what: impl AsFd, flags: EventFlags) -> io::Result<Token> {
        self.last += 1;
        epoll::add(
            self.epoll.get_ref(),
            what,
            EventData::new_u64(self.last),
            flags,
        )?;
        Ok(self.last)
    }

    /// Waits for it no longer, though it stays open.
    pub(super) fn remove(&self, what: impl AsFd) {
        let _ = epoll::delete(self.epoll.get_ref(), what);
    }

    /// Waits until something has happened; answers to which. May be dropped at any time:
    /// what isn't answered is there the next time.
    pub(super) async fn ready(&self) -> Vec<Token> {
        let mut events = Vec::with_capacity(BATCH);
        loop {
            let Ok(mut guard) = self.epoll.readable().await else {
                // The runtime is shutting down.
                return std::future::pending().await;
            };
            let waited = epoll::wait(
                self.epoll.get_ref(),
                spare_capacity(&mut events),
                Some(&AT_ONCE),
            );
            match waited {
                Ok(0) => guard.clear_ready(),
                Ok(_) => break,
                Err(_) => {}
            }
        }
        events.iter().map(|event| event.data.u64()).collect()
    }
}
