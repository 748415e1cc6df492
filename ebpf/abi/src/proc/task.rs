use super::COMM;

/// Bits of [`Task::flags`], those of the kernel's `PF_*` that we look at.
pub mod task_flag {
    /// `PF_KTHREAD`: a thread of the kernel's own.
    pub const KERNEL: u32 = 0x0020_0000;
}

/// Bits of [`Task::state`]: the kernel's `__state` and `exit_state`, which have the same
/// values since kernel 4.14 (`include/linux/sched.h`). None: it runs or waits for a
/// processor.
pub mod task_state {
    /// Sleeps; a signal wakes it.
    pub const INTERRUPTIBLE: u32 = 0x0001;
    /// Sleeps; nothing but what it waits for wakes it.
    pub const UNINTERRUPTIBLE: u32 = 0x0002;
    /// Stopped by job control.
    pub const STOPPED: u32 = 0x0004;
    /// Stopped by a tracer.
    pub const TRACED: u32 = 0x0008;
    /// Ended, and taken off the list.
    pub const EXIT_DEAD: u32 = 0x0010;
    /// Ended, and its parent has not asked yet.
    pub const EXIT_ZOMBIE: u32 = 0x0020;
    /// A parked thread of the kernel.
    pub const PARKED: u32 = 0x0040;
    /// Sleeps without adding to the load average; with [`UNINTERRUPTIBLE`].
    pub const NO_LOAD: u32 = 0x0400;
    /// Waits for a lock of an RT kernel (kernel 5.16).
    pub const RT_LOCK_WAIT: u32 = 0x1000;
}

/// What `iter/task` writes of each task.
///
/// Of a process's first thread (`pid == tgid`), times and counts include those of threads
/// that have ended; every other thread has a record of its own with its own share, and
/// userspace adds them up.
///
/// Numbers are those of the reader's pid namespace, 0 for what is outside it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// When it started; at the exec of a thread, its process's start.
    pub start: u64,
    /// Which cgroup (v2): the inode number of its directory.
    pub cgroup: u64,
    /// Processor time, nanoseconds.
    pub run: u64,
    /// Time it was ready and waited for a processor, nanoseconds; 0 where the kernel has no
    /// `CONFIG_SCHED_INFO`. Waiting that is not over yet is not in it.
    pub wait: u64,
    /// Processor time in user mode, as clock ticks sampled it, nanoseconds.
    pub utime: u64,
    /// The same in the kernel.
    pub stime: u64,
    /// Times that it gave the processor up to wait for something.
    pub voluntary: u64,
    /// Times that the processor was taken from it.
    pub involuntary: u64,
    /// Pages resident. Kernels from 6.2 on count by CPU and tell what was summed up: short by
    /// a few dozen pages a CPU.
    pub rss: u64,
    /// Pages in swap.
    pub swap: u64,
    /// Pages of address space.
    pub size: u64,
    /// Which task.
    pub pid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its process's parent.
    pub ppid: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// Real user, as the first user namespace numbers it.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Controlling terminal as `/proc/PID/stat` has it: minor number in bits 0–7 and 20–31,
    /// major in bits 8–19; 0: none.
    pub tty: u32,
    /// Threads of its process.
    pub threads: u32,
    /// See [`task_state`].
    pub state: u32,
    /// See [`task_flag`].
    pub flags: u32,
    /// −20 to 19.
    pub nice: i32,
    /// Its name, ended by a zero.
    pub comm: [u8; COMM],
}

const _: () = assert!(size_of::<Task>() == 152);
