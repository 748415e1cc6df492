//! Atomic additions on words that several CPUs, or userspace, write.
//!
//! `core::sync::atomic` has no read-modify-write on the BPF target; the intrinsic becomes
//! one BPF instruction (with the old value: BPF ISA v3, kernel 5.12).

use core::intrinsics::{AtomicOrdering, atomic_xadd};

/// Adds and returns the old value.
///
/// Not `Relaxed`: LLVM makes of a relaxed addition the instruction that doesn't fetch,
/// also where the old value is wanted, and takes the addend for it.
#[inline(always)]
pub fn fetch_add(word: *mut u64, n: u64) -> u64 {
    // SAFETY: `word` points into a map value, which lives as long as the program runs.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::AcqRel }>(word, n) }
}

/// Adds; `n` may be negative.
#[inline(always)]
pub fn add(word: *mut i32, n: i32) {
    // SAFETY: as above.
    unsafe {
        atomic_xadd::<i32, i32, { AtomicOrdering::Relaxed }>(word, n);
    }
}
