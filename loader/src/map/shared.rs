//! Arrays that userspace maps into its memory: it reads and writes them with plain loads
//! and stores, each word in one step, while the programs use them.

use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use ssi_abi::server::Load;
use ssi_abi::table::BLOCK;

use super::Raw;
use crate::LoadError;

/// A mapped array (`BPF_F_MMAPABLE`, kernel 5.5), as 32-bit words and, where a field is
/// longer, 64-bit ones. No field is accessed as both.
#[derive(Debug)]
pub(super) struct Mapped {
    words: NonNull<AtomicU32>,
    len: usize,
    // Keeps the map alive by its descriptor, for clarity; the mapping alone would do.
    _raw: Raw,
}

// SAFETY: the memory is shared with the kernel anyway and only accessed atomically.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// `bytes`: of one element, a multiple of 8, as the kernel lays them out.
    pub(super) fn new(raw: Raw, bytes: usize) -> Result<Self, LoadError> {
        let size = NonZero::new(raw.max_entries as usize * bytes).expect("maps have entries");
        // SAFETY: a new shared mapping of a map that was made for it, of its full size.
        let at = unsafe {
            mmap(
                std::ptr::null_mut(),
                size.get().next_multiple_of(rustix::param::page_size()),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &raw.fd,
                0,
            )
        }
        .map_err(|errno| LoadError::Map {
            map: raw.name,
            operation: "map into memory",
            source: errno.into(),
        })?;
        let words = NonNull::new(at.cast()).expect("mmap returns no null");
        Ok(Self {
            words,
            len: size.get() / 4,
            _raw: raw,
        })
    }

    pub(super) fn word(&self, index: usize) -> &AtomicU32 {
        assert!(index < self.len, "word {index} of {}", self.len);
        // SAFETY: within the mapping, which lives as long as self; aligned.
        unsafe { self.words.add(index).as_ref() }
    }

    /// The 64-bit word that begins at a 32-bit word of even index.
    pub(super) fn long(&self, index: usize) -> &AtomicU64 {
        assert!(
            index.is_multiple_of(2) && index + 1 < self.len,
            "long word at {index} of {}",
            self.len
        );
        // SAFETY: within the mapping, which lives as long as self; aligned, since the
        // mapping begins at a page and the index is even.
        unsafe { self.words.add(index).cast().as_ref() }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        let size = (self.len * 4).next_multiple_of(rustix::param::page_size());
        // SAFETY: the mapping made in `new`; no reference into it outlives self. A failure
        // leaks address space only.
        let _ = unsafe { munmap(self.words.as_ptr().cast(), size) };
    }
}

/// The scheduling tables as one flat array of entries.
#[derive(Debug)]
pub struct Entries(Mapped);

impl Entries {
    pub(crate) fn new(raw: Raw) -> Result<Self, LoadError> {
        Ok(Self(Mapped::new(raw, BLOCK as usize * 4)?))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.len as u32
    }

    /// Never: the array has a fixed length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One entry. Panics if there is no such index.
    #[must_use]
    pub fn get(&self, index: u32) -> u32 {
        self.0.word(index as usize).load(Ordering::Relaxed)
    }

    /// Replaces entries from `first` on, each in one step. Panics beyond the end.
    pub fn write(&self, first: u32, entries: &[u32]) {
        for (i, entry) in entries.iter().enumerate() {
            self.0
                .word(first as usize + i)
                .store(*entry, Ordering::Relaxed);
        }
    }

    /// Copies entries from `first` on. Panics beyond the end.
    #[must_use]
    pub fn read(&self, first: u32, len: u32) -> Vec<u32> {
        (first..first + len).map(|index| self.get(index)).collect()
    }
}

/// How many connections each server has; see [`Load`] for the two halves.
#[derive(Debug)]
pub struct Loads(Mapped);

const WORDS: usize = size_of::<Load>() / 4;

impl Loads {
    pub(crate) fn new(raw: Raw) -> Result<Self, LoadError> {
        Ok(Self(Mapped::new(raw, size_of::<Load>())?))
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        (self.0.len / WORDS) as u32
    }

    /// Never: the array has a fixed length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn word(&self, server: u32, word: usize) -> i32 {
        self.0
            .word(server as usize * WORDS + word)
            .load(Ordering::Relaxed)
            .cast_signed()
    }

    /// One server's. Panics if there is no such index.
    #[must_use]
    pub fn get(&self, server: u32) -> Load {
        Load {
            active: self.word(server, 0),
            inactive: self.word(server, 1),
            active_base: self.word(server, 2),
            inactive_base: self.word(server, 3),
        }
    }

    /// Sets userspace's half.
    pub fn set_base(&self, server: u32, active: i32, inactive: i32) {
        let at = server as usize * WORDS;
        self.0
            .word(at + 2)
            .store(active.cast_unsigned(), Ordering::Relaxed);
        self.0
            .word(at + 3)
            .store(inactive.cast_unsigned(), Ordering::Relaxed);
    }

    /// Zeroes both halves, before the index is given to another server.
    pub fn clear(&self, server: u32) {
        for word in 0..WORDS {
            self.0
                .word(server as usize * WORDS + word)
                .store(0, Ordering::Relaxed);
        }
    }
}
