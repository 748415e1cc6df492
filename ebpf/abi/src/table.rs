//! The scheduling tables: one large array of 32-bit entries that services own ranges of.
//!
//! An entry is `previous << 16 | current`, two indices in `SERVERS`. Only slot tables use
//! the previous owner; in all others it is 0. An entry is written in one step, so a packet
//! sees either the old pair or the new.

/// Entries in one [`Block`].
pub const BLOCK: u32 = 16;

/// Entries of every slot table.
pub const SLOTS: u32 = 65_536;

/// One cache line of entries: the unit in which ranges are given out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// `previous << 16 | current` each.
    pub entries: [u32; BLOCK as usize],
}

const _: () = assert!(size_of::<Block>() == 64);

/// Makes an entry of two indices in `SERVERS`.
#[inline(always)]
#[must_use]
pub const fn entry(current: u16, previous: u16) -> u32 {
    (previous as u32) << 16 | current as u32
}

/// The server that takes new connections, unless its weight is 0: then no server of the
/// service takes any, and it has kept the slot.
#[inline(always)]
#[must_use]
pub const fn current(entry: u32) -> u16 {
    entry as u16
}

/// The server that had the slot before, 0 if none: it may still hold older connections.
#[inline(always)]
#[must_use]
pub const fn previous(entry: u32) -> u16 {
    (entry >> 16) as u16
}
