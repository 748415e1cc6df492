use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{MapData, RingBuf};
use ssi_abi::fragment::HeldFragment;

/// The ring of fragments that came before their first one.
pub struct Held(RingBuf<MapData>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").finish_non_exhaustive()
    }
}

impl Held {
    pub(crate) fn new(ring: RingBuf<MapData>) -> Self {
        Self(ring)
    }

    /// The next one, if there is any. Wait for more by polling the descriptor.
    pub fn take(&mut self) -> Option<Box<HeldFragment>> {
        let item = self.0.next()?;
        if item.len() < size_of::<HeldFragment>() {
            return None;
        }
        // SAFETY: the ring's items are `HeldFragment`s, plain integers, and this one is
        // long enough; read unaligned because the ring promises 8 bytes only.
        Some(Box::new(unsafe {
            item.as_ptr().cast::<HeldFragment>().read_unaligned()
        }))
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsRawFd as _;
        // SAFETY: the descriptor belongs to the ring and lives as long as self.
        unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) }
    }
}
