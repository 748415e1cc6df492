//! Makes a frame out of whatever an earlier run left of it.

use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::{bpf_xdp_adjust_head, bpf_xdp_get_buff_len};
use ssi_abi::drive::{HEAD, Plan, client_address, client_port, flow};

use crate::{NEXT, PLAN};

/// Largest offset of a field that differs from flow to flow.
const FARTHEST: usize = 0x3f;

/// Gives the frame its length and its first bytes again, and its flow. None: it could not.
///
/// `BPF_PROG_TEST_RUN` runs a program again on what the last run left, tunnel headers,
/// translated addresses, lower time to live and all.
#[inline(always)]
pub fn make(ctx: *mut xdp_md) -> Option<()> {
    let plan = PLAN.get(0)?;
    // Not the difference of the packet's pointers: the compiler takes it in 32 bits, which
    // the verifier refuses.
    // SAFETY: a helper that only reads our own context.
    let length = unsafe { bpf_xdp_get_buff_len(ctx) } as u32;
    let grown = length.wrapping_sub(plan.length) as i32;
    // SAFETY: a helper on our own context.
    if grown != 0 && unsafe { bpf_xdp_adjust_head(ctx, grown) } != 0 {
        return None;
    }
    // SAFETY: the context is valid while the program runs.
    let (start, end) = unsafe { ((*ctx).data as usize, (*ctx).data_end as usize) };
    if start + HEAD > end {
        return None;
    }
    let words = start as *mut u64;
    for (i, word) in plan.head.iter().enumerate() {
        // SAFETY: within the frame, as just checked; its start is a multiple of 64, that
        // of the room the kernel leaves before it.
        unsafe { *words.add(i) = *word };
    }
    if plan.mask != 0 {
        client(plan, start, end)?;
    }
    Some(())
}

/// Writes the next flow's client. The transport checksum is not kept right: none of the
/// programs under test looks at it.
#[inline(always)]
fn client(plan: &Plan, start: usize, end: usize) -> Option<()> {
    let next = NEXT.get_ptr_mut(0)?;
    // SAFETY: a live map value; only one CPU drives at a time.
    let number = unsafe {
        let number = *next;
        *next = number + 1;
        number
    };
    let flow = flow(number as u32, plan.mask);
    let address = start + (plan.address as usize & FARTHEST);
    let port = start + (plan.port as usize & FARTHEST);
    if address + 4 > end || port + 2 > end {
        return None;
    }
    let [a, b, c, d] = client_address(flow).to_be_bytes();
    // SAFETY: within the frame, as just checked; headers are 2-aligned.
    unsafe {
        *(address as *mut u16) = u16::from_ne_bytes([a, b]);
        *((address + 2) as *mut u16) = u16::from_ne_bytes([c, d]);
        *(port as *mut u16) = client_port(flow).to_be();
    }
    Some(())
}
