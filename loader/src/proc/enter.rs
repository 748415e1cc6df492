//! A process enters itself into the map of those whose end is remembered, before it becomes
//! another program: so there is no moment at which it runs and nobody would know of its end.
//!
//! For a process that has the memory of one with threads, whose locks may be taken for ever:
//! nothing here does more than system calls.

use std::ffi::{c_long, c_uint};
use std::os::fd::RawFd;

use ssi_abi::proc::Supervised as Value;

/// Of linux/bpf.h: `BPF_MAP_UPDATE_ELEM` and `BPF_MAP_DELETE_ELEM`.
const UPDATE: c_uint = 2;
const DELETE: c_uint = 3;

/// What bpf(2) wants to know for these two.
#[repr(C)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The calling process is in the map from now on, known by this number, instead of whoever had
/// its pid before. Answers whether it worked; else `errno` says why not.
///
/// # Safety
/// `map` is the descriptor of a [`Supervised`](super::Supervised).
pub unsafe fn enter(map: RawFd, run: u64) -> bool {
    let value = Value {
        run,
        ..Value::default()
    };
    let pid = own();
    // SAFETY: the caller's promise; key and value have the sizes of that map's.
    unsafe { call(UPDATE, map, &pid, &raw const value as u64) }
}

/// It has no more to do with the map.
///
/// # Safety
/// As for [`enter`].
pub unsafe fn leave(map: RawFd) {
    let pid = own();
    // SAFETY: the caller's promise; the key has the size of that map's.
    unsafe { call(DELETE, map, &pid, 0) };
}

/// The number by which this pid namespace knows it.
fn own() -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_getpid) as u32 }
}

/// Key and value must have the sizes of the map's.
unsafe fn call(command: c_uint, map: RawFd, key: &u32, value: u64) -> bool {
    let element = Element {
        map: map.cast_unsigned(),
        pad: 0,
        key: &raw const *key as u64,
        value,
        flags: 0,
    };
    // SAFETY: what it points at lives until it returns, and the sizes are the caller's promise.
    let done: c_long = unsafe {
        let size = size_of::<Element>();
        libc::syscall(libc::SYS_bpf, command, &raw const element, size)
    };
    done == 0
}
