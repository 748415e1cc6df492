//! How long tasks wait for a CPU.
//!
//! The kernel adds what a task has waited to its account at the moment it gets a CPU
//! (`sched_info_arrive`), which is just after the tracepoint of that switch. So the account
//! is noted there, and looked at again when the task leaves the CPU: the difference is what
//! it waited for this turn. A task leaves the CPU it came to, so one note for each CPU is
//! enough; and nobody has to look at a clock, or at wakeups.

use aya_ebpf::btf_maps::PerCpuArray;
use aya_ebpf::macros::{btf_map, btf_tracepoint};
use aya_ebpf::programs::BtfTracePointContext;
use ssi_abi::proc::{ABSENT, BUCKETS, Running, bucket};

use crate::fields::{Struct, offset};

#[btf_map]
static RUNNING: PerCpuArray<Running, 1> = PerCpuArray::new();
/// Turns by how long they were waited for.
#[btf_map]
static LATENCIES: PerCpuArray<u64, BUCKETS> = PerCpuArray::new();

/// A CPU goes from one task to another: arguments 1 and 2.
#[btf_tracepoint(function = "sched_switch")]
pub fn ssi_switch(ctx: BtfTracePointContext) -> i32 {
    if offset!(task_run_delay) == ABSENT {
        return 0;
    }
    let previous = Struct(ctx.arg::<*const u8>(1));
    let next = Struct(ctx.arg::<*const u8>(2));
    let Some(running) = RUNNING.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: this CPU's slot of a per-CPU map; nobody else writes it now.
    let running = unsafe { &mut *running };
    if running.task == previous.0 as u64 {
        let waited: u64 = previous.get(offset!(task_run_delay));
        if let Some(turns) = LATENCIES.get_ptr_mut(bucket(waited - running.waited)) {
            // SAFETY: as above.
            unsafe { *turns += 1 };
        }
    }
    // The idle task, number 0, is what a CPU does when nobody waits.
    let idle = next.get::<u32>(offset!(task_pid)) == 0;
    running.task = if idle { 0 } else { next.0 as u64 };
    running.waited = next.get(offset!(task_run_delay));
    0
}
