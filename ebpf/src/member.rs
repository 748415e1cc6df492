//! Who is a member and may speak, as every program that lets something through asks it: the
//! packet path, and the way around it. The maps are the same for both.

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::btf_maps::{Array, HashMap, PerCpuArray};
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::btf_map;
use ssi_abi::member::{LARGEST_NODE, Member, Own, PeerStats, member_flag, own_flag, peer_lane};
use ssi_abi::{Addr, counter, limits};

#[btf_map]
pub static MEMBERS: HashMap<Addr, Member, { limits::MEMBERS }> = HashMap::new();
#[btf_map]
pub static OWN: Array<Own, 1, { BPF_F_MMAPABLE as usize }> = Array::new();
#[btf_map]
pub static PEER_STATS: PerCpuArray<PeerStats, { limits::PEER_LANES }> = PerCpuArray::new();
#[btf_map]
pub static COUNTERS: PerCpuArray<u64, { counter::COUNT }> = PerCpuArray::new();

/// One more of `counter`.
#[inline(always)]
pub fn event(counter: u32) {
    if let Some(n) = COUNTERS.get_ptr_mut(counter) {
        // SAFETY: this CPU's slot of a per-CPU map; nobody else writes it now.
        unsafe { *n += 1 };
    }
}

/// Nanoseconds since boot, those in which the machine was suspended included: a lease ends
/// also while nobody runs.
#[inline(always)]
pub fn clock() -> u64 {
    // SAFETY: a helper without arguments (kernel 5.8).
    unsafe { bpf_ktime_get_boot_ns() }
}

/// Whether this node must not act for the cluster any more.
#[inline(never)]
pub fn lease_is_over() -> bool {
    OWN.get_ptr(0).is_some_and(|own| {
        // SAFETY: a live map value; each field is read in one step.
        let (flags, until) = unsafe { ((*own).flags, (*own).lease_until) };
        flags & own_flag::LEASED != 0 && until < clock()
    })
}

/// The number of the member with this address, unless it is fenced.
#[inline(always)]
pub fn number(addr: &Addr) -> Option<u32> {
    let member: *const Member = MEMBERS.get_ptr(addr)?;
    // SAFETY: a live map value; each field is read in one step.
    let (flags, node) = unsafe { ((*member).flags, (*member).node) };
    (flags & member_flag::FENCED == 0).then_some(node)
}

/// Counts for a node's lane.
#[inline(always)]
pub fn said(node: u32, lane: u32, apply: impl Fn(&mut PeerStats)) {
    if node <= LARGEST_NODE
        && let Some(stats) = PEER_STATS.get_ptr_mut(peer_lane(node, lane))
    {
        // SAFETY: this CPU's slot of a per-CPU map; nobody else writes it now.
        apply(unsafe { &mut *stats });
    }
}
