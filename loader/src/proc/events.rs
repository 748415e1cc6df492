use std::fmt;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use aya::Ebpf;
use aya::maps::{MapData, RingBuf};
use ssi_abi::proc::Event;

use crate::LoadError;
use crate::net::missing;

/// The ring of events. It has one reader; what was recorded while there was none comes
/// first.
pub struct Events(RingBuf<MapData>);

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, LoadError> {
        let map = ebpf.take_map("EVENTS").ok_or_else(|| missing("EVENTS"))?;
        let ring =
            RingBuf::try_from(map).map_err(|error| LoadError::refused("map EVENTS", &error))?;
        Ok(Self(ring))
    }

    /// The next one, if there is any. Wait for more by polling the descriptor.
    pub fn take_next(&mut self) -> Option<Event> {
        let item = self.0.next()?;
        assert!(item.len() >= size_of::<Event>(), "the ring has events only");
        // SAFETY: the ring's items are `Event`s, plain integers, and this one is long enough;
        // read unaligned because the ring promises 8 bytes only.
        Some(unsafe { item.as_ptr().cast::<Event>().read_unaligned() })
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor belongs to the ring and lives as long as self.
        unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) }
    }
}
