//! Fields of the kernel's structures.
//!
//! A structure's address comes from the kernel with its type, and an offset out of `LAYOUT`
//! is a constant to the verifier (the map of read-only globals is frozen). So it checks each
//! access against the kernel's own BTF, and a load is one instruction, not a helper call. A
//! load from an address that is no longer there gives 0.

use ssi_abi::proc::{COMM, Layout};

/// Set by the loader before the programs are verified.
#[unsafe(no_mangle)]
pub static LAYOUT: Layout = {
    // SAFETY: plain integers, for which zero is a value.
    unsafe { core::mem::zeroed() }
};

/// An offset. Volatile: the compiler must not take the zeroes above for the truth.
macro_rules! offset {
    ($field:ident) => {{
        // SAFETY: a live static.
        unsafe { (&raw const $crate::fields::LAYOUT.$field).read_volatile() }
    }};
}
pub(crate) use offset;

/// The address of a structure of the kernel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Struct(pub *const u8);

impl Struct {
    /// The value of type `T`, an integer, at `offset`.
    #[inline(always)]
    pub fn get<T: Copy>(self, offset: u32) -> T {
        // SAFETY: the verifier has checked that the structure has a field of this size here.
        // Volatile, so that each field is read by an instruction of its own size.
        unsafe {
            self.0
                .wrapping_add(offset as usize)
                .cast::<T>()
                .read_volatile()
        }
    }

    /// The structure that a pointer at `offset` points to.
    #[inline(always)]
    pub fn follow(self, offset: u32) -> Self {
        Self(self.get(offset))
    }

    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// A task's name.
#[inline(always)]
pub fn comm(task: Struct) -> [u8; COMM] {
    let at = offset!(task_comm);
    let words = [task.get::<u64>(at), task.get::<u64>(at + 8)];
    // SAFETY: sixteen bytes are sixteen bytes.
    unsafe { core::mem::transmute(words) }
}

/// `(real, effective)` user.
#[inline(always)]
pub fn users(task: Struct) -> (u32, u32) {
    let cred = task.follow(offset!(task_real_cred));
    (cred.get(offset!(cred_uid)), cred.get(offset!(cred_euid)))
}

/// The cgroup's number, 0 where there are no cgroups.
#[inline(always)]
pub fn cgroup(task: Struct) -> u64 {
    if offset!(css_set_dfl_cgrp) == ssi_abi::proc::ABSENT {
        return 0;
    }
    task.follow(offset!(task_cgroups))
        .follow(offset!(css_set_dfl_cgrp))
        .follow(offset!(cgroup_kn))
        .get(offset!(kernfs_node_id))
}
