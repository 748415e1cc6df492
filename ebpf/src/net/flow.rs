//! The flow cache: each CPU's copy of what the connection tables said last. See
//! [`ssi_abi::flow`].

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use ssi_abi::flow::{Flow, HOLDS, WAYS};

use crate::conntrack;
use crate::family::Family;
use crate::maps::SETTINGS;

/// Sets that each CPU has in `FLOWS4`. The loader writes the real number.
#[unsafe(no_mangle)]
pub static FLOW_SETS4: u32 = 1;
/// A place in the cache that a flow has, or could have.
pub struct Place<F: Family> {
    flow: *mut Flow<F::Key>,
    /// It has it.
    held: bool,
}

/// This CPU's set for a flow with this hash, of which the high bits count most.
#[inline(always)]
pub fn set(hash: u64, sets: *const u32) -> u32 {
    // SAFETY: a constant of this object. Volatile: the loader changes it.
    let sets = unsafe { sets.read_volatile() };
    // SAFETY: a helper without arguments.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    cpu * sets + ((hash >> 32) * u64::from(sets) >> 32) as u32
}

/// How long a copy holds, in jiffies.
#[inline(always)]
fn holds() -> u32 {
    SETTINGS.get(0).map_or(0, |settings| settings.hz / HOLDS)
}

/// The place of a flow. None: others have been there too lately to be put out.
#[inline(always)]
pub fn place<F: Family>(key: &F::Key, now: u32) -> Option<Place<F>> {
    let flow = F::place(key, now);
    if flow.is_null() {
        return None;
    }
    // SAFETY: a live map value that only this CPU uses.
    let held = F::same(unsafe { &(*flow).key }, key);
    Some(Place { flow, held })
}

/// For [`Family::place`]: of a set, the place that the flow has, else one that has no use.
#[inline(always)]
pub fn choose<F: Family>(
    flows: *mut [Flow<F::Key>; WAYS],
    key: &F::Key,
    now: u32,
) -> *mut Flow<F::Key> {
    // SAFETY: a live map value that only this CPU uses.
    let [first, second] = unsafe { &mut *flows };
    if F::same(&first.key, key) {
        return first;
    }
    if F::same(&second.key, key) {
        return second;
    }
    let holds = holds();
    if now.wrapping_sub(first.seen) >= holds {
        return first;
    }
    if now.wrapping_sub(second.seen) >= holds {
        return second;
    }
    core::ptr::null_mut()
}

impl<F: Family> Place<F> {
    /// The flow's server, as `server_ref`, while what the tables said still holds; else 0.
    #[inline(always)]
    pub fn fresh(&self, now: u32) -> u32 {
        // SAFETY: a live map value that only this CPU uses.
        let seen = unsafe { (*self.flow).seen };
        if now.wrapping_sub(seen) < holds() {
            self.server()
        } else {
            0
        }
    }

    /// The flow's server, as `server_ref`, however long ago the tables said so; 0 if they
    /// didn't.
    #[inline(always)]
    pub fn server(&self) -> u32 {
        // SAFETY: a live map value that only this CPU uses.
        if self.held {
            unsafe { (*self.flow).server }
        } else {
            0
        }
    }

    /// Whether the tables would have forgotten the flow by themselves since.
    #[inline(always)]
    pub fn expired(&self, state: u8, now: u32) -> bool {
        // SAFETY: as above.
        let seen = unsafe { (*self.flow).seen };
        conntrack::over(seen, state, now)
    }

    /// Nothing is known of the flow any more.
    #[inline(always)]
    pub fn forget(&self) {
        if self.held {
            // SAFETY: as above.
            unsafe { (*self.flow).server = 0 };
        }
    }

    /// What the tables say of the flow, now.
    #[inline(always)]
    pub fn remember(&self, key: &F::Key, server: u32, now: u32) {
        // SAFETY: as above.
        let flow = unsafe { &mut *self.flow };
        flow.server = server;
        flow.seen = now;
        if !self.held {
            flow.key = *key;
        }
    }
}
