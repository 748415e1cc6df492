//! How supervised processes ended, for whoever was not there to see it.

use aya_ebpf::btf_maps::HashMap;
use aya_ebpf::macros::btf_map;
use ssi_abi::proc::{SUPERVISED as ROOM, Supervised};

#[btf_map]
static SUPERVISED: HashMap<u32, Supervised, ROOM> = HashMap::new();

/// A process has ended: notes it, if userspace wants to know.
#[inline(always)]
pub fn note(pid: u32, start: u64, status: u32) -> Option<()> {
    let value = SUPERVISED.get_ptr_mut(pid)?;
    // SAFETY: a live map value; a process ends once, so nobody else writes it now, but for
    // userspace, which replaces it as a whole.
    unsafe {
        if (*value).ended == 0 {
            (*value).start = start;
            (*value).status = status;
            (*value).ended = 1;
        }
    }
    Some(())
}
