//! Waiting for several descriptors at once.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What is waited for, by names.
pub(super) struct Wait<'fd, N> {
    names: Vec<N>,
    fds: Vec<PollFd<'fd>>,
    until: Option<Instant>,
}

/// What has come of it.
pub(super) struct Ready<N>(Vec<(N, PollFlags)>);

impl<'fd, N: Copy + PartialEq> Wait<'fd, N> {
    pub(super) fn new() -> Self {
        Self {
            names: Vec::with_capacity(8),
            fds: Vec::with_capacity(8),
            until: None,
        }
    }

    /// For this. Errors and hangups are always waited for.
    pub(super) fn add(&mut self, name: N, fd: BorrowedFd<'fd>, flags: PollFlags) {
        self.names.push(name);
        self.fds.push(PollFd::new(fd, flags));
    }

    /// Not longer than until then.
    pub(super) fn until(&mut self, at: Option<Instant>) {
        self.until = match (self.until, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Waits.
    pub(super) fn wait(mut self) -> nix::Result<Ready<N>> {
        let timeout = self.until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(Instant::now());
            // Rounded up, or the rest of a millisecond would be spent asking.
            let left = left + std::time::Duration::from_micros(999);
            PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut self.fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Ready(Vec::new())),
            Err(errno) => return Err(errno),
        }
        let events = self.fds.iter().map(PollFd::revents);
        let events = events.map(|flags| flags.unwrap_or(PollFlags::POLLERR));
        let ready = self.names.into_iter().zip(events);
        Ok(Ready(
            ready.filter(|(_, flags)| !flags.is_empty()).collect(),
        ))
    }
}

impl<N: Copy + PartialEq> Ready<N> {
    /// What has come of one; empty: nothing.
    pub(super) fn of(&self, name: N) -> PollFlags {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or(PollFlags::empty(), |(_, flags)| *flags)
    }

    pub(super) fn any(&self, name: N) -> bool {
        !self.of(name).is_empty()
    }
}
