//! Process tracking: events of processes into a ring, a snapshot of all tasks, and (only if
//! it is switched on) how long tasks wait for a CPU.
//!
//! Nothing here knows a structure of the kernel: `fields.rs` reads at offsets that the loader
//! has found in the kernel's BTF.
#![no_std]
#![no_main]
#![expect(
    unreachable_pub,
    reason = "a program has no API; `pub` marks what a module offers the others"
)]

mod fields;
mod lifecycle;
mod numbers;
mod queue;
mod snapshot;
mod supervised;

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier refuses any program in which this could be reached.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
