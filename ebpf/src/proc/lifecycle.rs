//! Fork, exec and exit, into the ring.

use aya_ebpf::btf_maps::{PerCpuArray, RingBuf};
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::{btf_map, btf_tracepoint};
use aya_ebpf::programs::BtfTracePointContext;
use ssi_abi::proc::{Event, RING_BYTES, kind};

use crate::fields::{self, Struct, offset};
use crate::numbers::{number, place};
use crate::supervised;

#[btf_map]
static EVENTS: RingBuf<Event, RING_BYTES> = RingBuf::new();
/// Events that found the ring full.
#[btf_map]
static LOST: PerCpuArray<u64, 1> = PerCpuArray::new();

/// `SIGNAL_GROUP_EXIT` of `include/linux/sched/signal.h`: the process ends as a whole, by
/// `exit_group(2)` or a signal.
const GROUP_EXIT: u32 = 4;

/// A process has forked; the second argument is the child.
#[btf_tracepoint(function = "sched_process_fork")]
pub fn ssi_fork(ctx: BtfTracePointContext) -> i32 {
    let child = Struct(ctx.arg::<*const u8>(1));
    let (pid, tgid): (u32, u32) = (child.get(offset!(task_pid)), child.get(offset!(task_tgid)));
    if pid == tgid {
        record(kind::FORK, child, child);
    }
    0
}

/// A process executes another program. By now it has one thread, which has its number.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn ssi_exec(ctx: BtfTracePointContext) -> i32 {
    let task = Struct(ctx.arg::<*const u8>(0));
    record(kind::EXEC, task, task);
    0
}

/// A thread ends.
#[btf_tracepoint(function = "sched_process_exit")]
pub fn ssi_exit(ctx: BtfTracePointContext) -> i32 {
    let task = Struct(ctx.arg::<*const u8>(0));
    let last = if offset!(exit_tells_last) != 0 {
        ctx.arg::<u64>(1) as u8 != 0
    } else {
        // The thread has been taken off the count already. Two that end at once may both
        // find 0 here: userspace knows a process's second end for what it is.
        task.follow(offset!(task_signal))
            .get::<i32>(offset!(signal_live))
            == 0
    };
    if last {
        record(kind::EXIT, task.follow(offset!(task_group_leader)), task);
    }
    0
}

/// An event of the process whose first thread is `leader`; `task` is the thread that it
/// happens to.
#[inline(always)]
fn record(kind: u32, leader: Struct, task: Struct) -> Option<()> {
    let place = place()?;
    let signal = task.follow(offset!(task_signal));
    let pid = number(signal.follow(offset!(signal_tgid)), place);
    if pid == 0 {
        return None;
    }
    let status = if kind == kind::EXIT {
        status(signal, leader)
    } else {
        0
    };
    if kind == kind::EXIT {
        supervised::note(pid, leader.get(offset!(task_start_boottime)), status);
    }
    let parent = task.follow(offset!(task_real_parent));
    let parent = parent.follow(offset!(task_signal));
    let ppid = number(parent.follow(offset!(signal_tgid)), place);
    let pgid = number(signal.follow(offset!(signal_pgid)), place);
    let sid = number(signal.follow(offset!(signal_sid)), place);
    let (uid, euid) = fields::users(task);
    let Some(mut entry) = EVENTS.reserve(0) else {
        let lost = LOST.get_ptr_mut(0)?;
        // SAFETY: this CPU's slot of a per-CPU map; nobody else writes it now.
        unsafe { *lost += 1 };
        return None;
    };
    let mut event = Event {
        // SAFETY: a helper without arguments (kernel 5.8).
        time: unsafe { bpf_ktime_get_boot_ns() },
        start: leader.get(offset!(task_start_boottime)),
        cgroup: fields::cgroup(task),
        run: 0,
        utime: 0,
        stime: 0,
        max_rss: 0,
        kind,
        pid,
        ppid,
        pgid,
        sid,
        uid,
        euid,
        status,
        comm: fields::comm(leader),
    };
    if kind == kind::EXIT {
        end(&mut event, signal, leader, task);
    }
    entry.write(event);
    entry.submit(0);
    Some(())
}

/// How it ended.
#[inline(always)]
fn status(signal: Struct, leader: Struct) -> u32 {
    if signal.get::<u32>(offset!(signal_flags)) & GROUP_EXIT != 0 {
        signal.get(offset!(signal_group_exit_code))
    } else {
        leader.get(offset!(task_exit_code))
    }
}

/// What it used.
#[inline(always)]
fn end(event: &mut Event, signal: Struct, leader: Struct, task: Struct) {
    event.run = signal.get(offset!(signal_sum_sched_runtime));
    event.utime = signal.get(offset!(signal_utime));
    event.stime = signal.get(offset!(signal_stime));
    // What a thread used comes to these sums when it is let go of: neither the first thread
    // nor the last one has been.
    add_times(event, leader);
    if task != leader {
        add_times(event, task);
    }
    event.max_rss = signal.get(offset!(signal_maxrss));
}

#[inline(always)]
fn add_times(event: &mut Event, task: Struct) {
    event.run += task.get::<u64>(offset!(task_runtime));
    event.utime += task.get::<u64>(offset!(task_utime));
    event.stime += task.get::<u64>(offset!(task_stime));
}
