//! What the benchmarks drive the packet path with: a driver that makes the frame anew and
//! tail-calls the program under test, a generator that sends it, a sink that counts, and
//! the trivial programs that tell what all this costs by itself.
#![no_std]
#![no_main]
#![expect(
    missing_docs,
    reason = "the entry macros generate items that cannot be documented"
)]
#![expect(
    unreachable_pub,
    reason = "a program has no API; `pub` marks what a module offers the others"
)]

mod frame;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX};
use aya_ebpf::btf_maps::{Array, DevMap, PerCpuArray, ProgramArray};
use aya_ebpf::helpers::bpf_xdp_adjust_head;
use aya_ebpf::macros::{btf_map, xdp};
use aya_ebpf::programs::XdpContext;
use ssi_abi::drive::Plan;

/// The frame to make.
#[btf_map]
static PLAN: Array<Plan, 1> = Array::new();
/// Number of the next frame.
#[btf_map]
static NEXT: Array<u64, 1> = Array::new();
/// The program under test.
#[btf_map]
static SUBJECT: ProgramArray<1> = ProgramArray::new();
/// Where the generator sends.
#[btf_map]
static OUT: DevMap<1> = DevMap::new();
/// Frames that came to the sink.
#[btf_map]
static SUNK: PerCpuArray<u64, 1> = PerCpuArray::new();

// A program may tail-call only its like, so all are built for frames in pieces ("frags")
// as the packet path is.

/// Makes the frame, then is the program under test. The index is a constant, so the
/// kernel patches a direct jump in.
#[xdp(frags)]
pub fn drive_subject(ctx: XdpContext) -> u32 {
    if frame::make(ctx.ctx).is_some() {
        // SAFETY: nothing here is to be dropped.
        unsafe { SUBJECT.tail_call(&ctx, 0) };
    }
    XDP_ABORTED
}

/// Makes the frame and sends it.
#[xdp(frags)]
pub fn drive_generate(ctx: XdpContext) -> u32 {
    if frame::make(ctx.ctx).is_none() {
        return XDP_ABORTED;
    }
    OUT.redirect(0, 0).unwrap_or(XDP_ABORTED)
}

/// Makes the frame and drops it: what a generator costs that sends nothing.
#[xdp(frags)]
pub fn drive_discard(ctx: XdpContext) -> u32 {
    frame::make(ctx.ctx).map_or(XDP_ABORTED, |()| XDP_DROP)
}

/// Counts the frame and drops it: the least that receiving can be.
#[xdp(frags)]
pub fn drive_sink(_: XdpContext) -> u32 {
    if let Some(count) = SUNK.get_ptr_mut(0) {
        // SAFETY: this CPU's own value.
        unsafe { *count += 1 };
    }
    XDP_DROP
}

/// Nothing: the cost of running any program.
#[xdp(frags)]
pub fn drive_empty(_: XdpContext) -> u32 {
    XDP_PASS
}

/// Nothing but room for an outer IPv4 header.
#[xdp(frags)]
pub fn drive_grow(ctx: XdpContext) -> u32 {
    // SAFETY: a helper on our own context.
    if unsafe { bpf_xdp_adjust_head(ctx.ctx, -20) } == 0 {
        XDP_TX
    } else {
        XDP_ABORTED
    }
}

/// Back where it came from: the least that forwarding can be.
#[xdp(frags)]
pub fn drive_bounce(_: XdpContext) -> u32 {
    XDP_TX
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier refuses any program in which this could be reached.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
