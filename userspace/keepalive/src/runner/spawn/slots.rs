//! Descriptors with low numbers, for what a new process needs.
//!
//! It gets a copy of those up to the last of these only, not of all that a supervisor of
//! thousands has open: copying and closing them would take longer than the rest of a start.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::io::{DupFlags, dup3};

/// Output, a socket, three cgroups of version 1 and one of version 2.
const COUNT: usize = 6;

/// The descriptors.
#[derive(Debug)]
pub(crate) struct Slots {
    null: File,
    /// What a process enters itself into.
    map: Option<OwnedFd>,
    slots: Vec<OwnedFd>,
    taken: usize,
}

impl Slots {
    /// To be made early, while low numbers are free. `map`: what a process enters itself into.
    pub(crate) fn new(map: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let null = File::open("/dev/null")?;
        let map = map.map(|map| map.try_clone_to_owned()).transpose()?;
        let slots: io::Result<Vec<OwnedFd>> = (0..COUNT)
            .map(|_| null.as_fd().try_clone_to_owned())
            .collect();
        Ok(Self {
            null,
            map,
            slots: slots?,
            taken: 0,
        })
    }

    /// All can be taken again.
    pub(super) fn clear(&mut self) {
        self.taken = 0;
    }

    /// The number by which a new process knows this.
    pub(super) fn put(&mut self, what: impl AsFd) -> io::Result<RawFd> {
        let slot = self.slots.get_mut(self.taken);
        let slot = slot.ok_or_else(|| io::Error::other("too many descriptors for a start"))?;
        dup3(what, slot, DupFlags::CLOEXEC)?;
        self.taken += 1;
        Ok(slot.as_raw_fd())
    }

    /// An empty input.
    pub(super) fn null(&self) -> RawFd {
        self.null.as_raw_fd()
    }

    /// What it enters itself into.
    pub(super) fn map(&self) -> Option<RawFd> {
        self.map.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// The first number that a new process has no copy of.
    pub(super) fn end(&self) -> RawFd {
        let slots = self.slots.iter().chain(&self.map).map(AsRawFd::as_raw_fd);
        slots.fold(self.null(), RawFd::max) + 1
    }
}
