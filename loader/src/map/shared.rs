//! Arrays that userspace maps into its memory: it reads and writes them with plain loads
//! and stores, each word in one step, while the programs use them.

use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use ssi_abi::server::Load;
use ssi_abi::table::BLOCK;

use super::Raw;
use crate::LoadError;

/// A part of a mapped array (`BPF_F_MMAPABLE`, kernel 5.5), as 32-bit words and, where a
/// field is longer, 64-bit ones. No field is accessed as both.
#[derive(Debug)]
pub(super) struct Mapped {
    words: NonNull<AtomicU32>,
    len: usize,
}

// SAFETY: the memory is shared with the kernel anyway and only accessed atomically.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// All of it. `bytes`: of one element, a multiple of 8, as the kernel lays them out.
    pub(super) fn new(raw: &Raw, bytes: usize) -> Result<Self, LoadError> {
        Self::part(raw, 0, raw.max_entries as usize * bytes / 4)
    }

    /// `len` words from `first` on, which is the first of a page.
    fn part(raw: &Raw, first: usize, len: usize) -> Result<Self, LoadError> {
        // SAFETY: a new shared mapping of a map that was made for it, of pages that it has:
        // the kernel refuses others.
        let at = unsafe {
            mmap(
                std::ptr::null_mut(),
                size(len),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &raw.fd,
                (first * 4) as u64,
            )
        }
        .map_err(|errno| LoadError::Map {
            map: raw.name,
            operation: "map into memory",
            source: errno.into(),
        })?;
        let words = NonNull::new(at.cast()).expect("mmap returns no null");
        Ok(Self { words, len })
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
        // SAFETY: the mapping made in `part`; no reference into it outlives self. A failure
        // leaks address space only.
        let _ = unsafe { munmap(self.words.as_ptr().cast(), size(self.len)) };
    }
}

/// Bytes of the pages that so many words fill.
fn size(words: usize) -> usize {
    (words * 4).next_multiple_of(rustix::param::page_size())
}

/// The scheduling tables as one flat array of entries. It is many megabytes, and seldom
/// looked at: what is accessed is mapped for as long as that takes.
#[derive(Debug)]
pub struct Entries(Raw);

impl Entries {
    pub(crate) const fn new(raw: Raw) -> Self {
        Self(raw)
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.0.max_entries * BLOCK
    }

    /// Never: the array has a fixed length.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replaces runs of entries, each given with its first, each entry in one step. Panics
    /// beyond the end.
    ///
    /// # Errors
    /// There is no memory to map them: nothing was replaced.
    pub fn write(&self, runs: &[(u32, Vec<u32>)]) -> Result<(), LoadError> {
        let ends = runs.iter().map(|(first, run)| *first as usize + run.len());
        let (Some(begin), Some(end)) = (runs.iter().map(|run| run.0).min(), ends.max()) else {
            return Ok(());
        };
        let (window, skipped) = self.window(begin as usize, end)?;
        for (first, run) in runs {
            for (at, entry) in (*first as usize..).zip(run) {
                window.word(at - skipped).store(*entry, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Copies entries from `first` on. Panics beyond the end.
    ///
    /// # Errors
    /// There is no memory to map them.
    pub fn read(&self, first: u32, len: u32) -> Result<Vec<u32>, LoadError> {
        let (begin, end) = (first as usize, first as usize + len as usize);
        let (window, skipped) = self.window(begin, end)?;
        let words = begin - skipped..end - skipped;
        Ok(words
            .map(|at| window.word(at).load(Ordering::Relaxed))
            .collect())
    }

    /// The pages that have these entries, and how many entries come before them.
    fn window(&self, begin: usize, end: usize) -> Result<(Mapped, usize), LoadError> {
        assert!(end <= self.len() as usize, "entry {end} of {}", self.len());
        let page = rustix::param::page_size() / 4;
        let skipped = begin / page * page;
        Ok((Mapped::part(&self.0, skipped, end - skipped)?, skipped))
    }
}

/// How many connections each server has; see [`Load`] for the two halves. Few have servers,
/// and all pages that are mapped count as this process's: so a part is mapped when a server
/// in it is first looked at.
#[derive(Debug)]
pub struct Loads {
    raw: Raw,
    parts: Box<[OnceLock<Mapped>]>,
}

const WORDS: usize = size_of::<Load>() / 4;
/// Records of a part: whole pages, whatever their size (4 to 64 KiB).
const PART: usize = (64 << 10) / size_of::<Load>();

impl Loads {
    pub(crate) fn new(raw: Raw) -> Result<Self, LoadError> {
        let parts = (raw.max_entries as usize).div_ceil(PART);
        let loads = Self {
            parts: (0..parts).map(|_| OnceLock::new()).collect(),
            raw,
        };
        if let Some(first) = loads.parts.first() {
            // What can't be done at all is found out now.
            let _ = first.set(loads.map(0)?);
        }
        Ok(loads)
    }

    fn map(&self, part: usize) -> Result<Mapped, LoadError> {
        let first = part * PART;
        let records = PART.min(self.raw.max_entries as usize - first);
        Mapped::part(&self.raw, first * WORDS, records * WORDS)
    }

    /// A word of a server's record.
    fn at(&self, server: u32, word: usize) -> &AtomicU32 {
        assert!(server < self.len(), "server {server} of {}", self.len());
        let (part, record) = (server as usize / PART, server as usize % PART);
        // As when the allocator has no more memory, there is no way to go on.
        let map = || self.map(part).expect("memory to map a part of LOADS");
        self.parts[part]
            .get_or_init(map)
            .word(record * WORDS + word)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.raw.max_entries
    }

    /// Never: the array has a fixed length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn word(&self, server: u32, word: usize) -> i32 {
        self.at(server, word).load(Ordering::Relaxed).cast_signed()
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
        self.at(server, 2)
            .store(active.cast_unsigned(), Ordering::Relaxed);
        self.at(server, 3)
            .store(inactive.cast_unsigned(), Ordering::Relaxed);
    }

    /// Zeroes both halves, before the index is given to another server.
    pub fn clear(&self, server: u32) {
        for word in 0..WORDS {
            self.at(server, word).store(0, Ordering::Relaxed);
        }
    }
}
