//! All tasks, in one go.
//!
//! `iter/task` visits the tasks that the pid namespace of the reader sees.

use aya_ebpf::bindings::seq_file;
use aya_ebpf::helpers::generated::bpf_seq_write;
use ssi_abi::proc::{ABSENT, Task};

use crate::fields::{self, Struct, offset};
use crate::numbers::{number, place, take_place};

/// Nice level 0 of the kernel's `static_prio` (`DEFAULT_PRIO` of `linux/sched/prio.h`).
const DEFAULT_PRIO: i32 = 120;

/// What the kernel gives an iterator over tasks (`struct bpf_iter__task`, kernel 5.8).
#[repr(C)]
pub struct IterTask {
    meta: *const IterMeta,
    task: *const u8,
}

/// `struct bpf_iter_meta`.
#[repr(C)]
pub struct IterMeta {
    seq: *mut seq_file,
    session: u64,
    number: u64,
}

/// Notes the reader's pid namespace as the tracked one. Writes nothing.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
pub extern "C" fn ssi_place(ctx: *const IterTask) -> i32 {
    // SAFETY: the kernel gives valid pointers.
    if unsafe { (*(*ctx).meta).number } == 0 {
        take_place();
    }
    0
}

/// Writes a record of each task.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
pub extern "C" fn ssi_tasks(ctx: *const IterTask) -> i32 {
    // SAFETY: the kernel gives valid pointers, and no task at the end.
    let (seq, task) = unsafe { ((*(*ctx).meta).seq, Struct((*ctx).task)) };
    if task.is_null() {
        return 0;
    }
    let _ = write(seq, task);
    0
}

#[inline(always)]
fn write(seq: *mut seq_file, task: Struct) -> Option<()> {
    let place = place()?;
    let signal = task.follow(offset!(task_signal));
    let tgid = number(signal.follow(offset!(signal_tgid)), place);
    // Ended and let go of while we were on our way here.
    if tgid == 0 {
        return None;
    }
    let leads = task.get::<u32>(offset!(task_pid)) == task.get::<u32>(offset!(task_tgid));
    let pid = if leads {
        tgid
    } else {
        number(task.follow(offset!(task_thread_pid)), place)
    };
    let parent = task.follow(offset!(task_real_parent));
    let parent = parent.follow(offset!(task_signal));
    let (uid, euid) = fields::users(task);
    let mut record = Task {
        start: task.get(offset!(task_start_boottime)),
        cgroup: fields::cgroup(task),
        run: task.get(offset!(task_runtime)),
        wait: 0,
        utime: task.get(offset!(task_utime)),
        stime: task.get(offset!(task_stime)),
        voluntary: task.get(offset!(task_nvcsw)),
        involuntary: task.get(offset!(task_nivcsw)),
        rss: 0,
        swap: 0,
        size: 0,
        pid,
        tgid,
        ppid: number(parent.follow(offset!(signal_tgid)), place),
        pgid: number(signal.follow(offset!(signal_pgid)), place),
        sid: number(signal.follow(offset!(signal_sid)), place),
        uid,
        euid,
        tty: tty(signal),
        threads: signal.get(offset!(signal_nr_threads)),
        state: state(task),
        flags: task.get(offset!(task_flags)),
        nice: task.get::<i32>(offset!(task_static_prio)) - DEFAULT_PRIO,
        comm: fields::comm(task),
    };
    if offset!(task_run_delay) != ABSENT {
        record.wait = task.get(offset!(task_run_delay));
    }
    if leads {
        record.run += signal.get::<u64>(offset!(signal_sum_sched_runtime));
        record.utime += signal.get::<u64>(offset!(signal_utime));
        record.stime += signal.get::<u64>(offset!(signal_stime));
        record.voluntary += signal.get::<u64>(offset!(signal_nvcsw));
        record.involuntary += signal.get::<u64>(offset!(signal_nivcsw));
    }
    memory(&mut record, task.follow(offset!(task_mm)));
    // SAFETY: the record is on the stack and as long as said. If the buffer is full, the
    // kernel hands it to the reader and comes back with the same task.
    unsafe { bpf_seq_write(seq, (&raw mut record).cast(), size_of::<Task>() as u32) };
    Some(())
}

#[inline(always)]
fn state(task: Struct) -> u32 {
    let state = if offset!(task_state_size) == 8 {
        task.get::<u64>(offset!(task_state)) as u32
    } else {
        task.get::<u32>(offset!(task_state))
    };
    state | task.get::<u32>(offset!(task_exit_state))
}

/// A thread of the kernel has no memory of its own.
#[inline(always)]
fn memory(record: &mut Task, mm: Struct) {
    if mm.is_null() {
        return;
    }
    // A counter may be below zero, as CPUs keep shares of it that are not summed up yet.
    let pages = |offset| mm.get::<i64>(offset).max(0) as u64;
    record.rss = pages(offset!(mm_file_pages))
        + pages(offset!(mm_anon_pages))
        + pages(offset!(mm_shmem_pages));
    record.swap = pages(offset!(mm_swap_entries));
    record.size = mm.get(offset!(mm_total_vm));
}

/// The controlling terminal's device number (the kernel's `new_encode_dev`).
#[inline(always)]
fn tty(signal: Struct) -> u32 {
    let tty = signal.follow(offset!(signal_tty));
    if tty.is_null() {
        return 0;
    }
    let driver = tty.follow(offset!(tty_driver));
    let index: u32 = tty.get(offset!(tty_index));
    let minor = driver.get::<u32>(offset!(tty_driver_minor_start)) + index;
    let major: u32 = driver.get(offset!(tty_driver_major));
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}
