//! Numbers of processes, as the tracked pid namespace has them.

use aya_ebpf::btf_maps::Array;
use aya_ebpf::helpers::{bpf_get_current_task, bpf_probe_read_kernel};
use aya_ebpf::macros::btf_map;
use ssi_abi::proc::Place;

use crate::fields::{Struct, offset};

/// The tracked namespace.
#[btf_map]
static PLACE: Array<Place, 1> = Array::new();

/// The tracked namespace, if it is known.
#[inline(always)]
pub fn place() -> Option<Place> {
    let place = PLACE.get(0)?;
    (place.namespace != 0).then_some(*place)
}

/// From now on, the namespace of whoever makes this call is the tracked one.
#[inline(always)]
pub fn take_place() -> Option<()> {
    // SAFETY: a helper without arguments.
    let task = Struct(unsafe { bpf_get_current_task() } as *const u8);
    let pid = Struct(probe(task, offset!(task_thread_pid))?);
    let level: u32 = probe(pid, offset!(pid_level))?;
    let namespace: u64 = probe(pid, upid(level) + offset!(upid_ns))?;
    let place = PLACE.get_ptr_mut(0)?;
    // SAFETY: a live map value; the level is read only when the address is there.
    unsafe {
        (&raw mut (*place).level).write_volatile(level);
        (&raw mut (*place).namespace).write_volatile(namespace);
    }
    Some(())
}

/// The number of a `struct pid`, 0 if the namespace doesn't see it.
#[inline(always)]
pub fn number(pid: Struct, place: Place) -> u32 {
    if pid.is_null() || pid.get::<u32>(offset!(pid_level)) < place.level {
        return 0;
    }
    let at = upid(place.level);
    // Every process has a number in the first namespace, so there is nothing to compare.
    if place.level > 0 && probe(pid, at + offset!(upid_ns)) != Some(place.namespace) {
        return 0;
    }
    probe(pid, at + offset!(upid_nr)).unwrap_or(0)
}

#[inline(always)]
fn upid(level: u32) -> u32 {
    offset!(pid_numbers) + level * offset!(upid_size)
}

/// Where the offset is no constant, the verifier wants the helper.
#[inline(always)]
fn probe<T>(from: Struct, offset: u32) -> Option<T> {
    let address = from.0.wrapping_add(offset as usize).cast::<T>();
    // SAFETY: the helper takes any address.
    unsafe { bpf_probe_read_kernel(address) }.ok()
}
