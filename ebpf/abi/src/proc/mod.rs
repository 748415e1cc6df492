//! Process tracking: what the programs tell of processes, and where in this kernel's
//! structures they find it.
//!
//! A process is named by its pid **and** its start: pids are used again, pairs of both are
//! not. Times are nanoseconds since boot, suspension included (`CLOCK_BOOTTIME`).

mod event;
mod layout;
mod queue;
mod supervised;
mod task;

pub use event::{Event, kind};
pub use layout::{ABSENT, Layout};
pub use queue::{BUCKETS, Running, bucket, bucket_start};
pub use supervised::{SUPERVISED, Supervised};
pub use task::{Task, task_flag, task_state};

/// Bytes of the ring of events, unless the loader is told otherwise: 2,340 events that `ssid`
/// may miss while it is down. Whoever reads it has it mapped twice over.
pub const RING_BYTES: usize = 256 << 10;

/// Bytes of a task's name, the ending zero included (`TASK_COMM_LEN`).
pub const COMM: usize = 16;

/// The pid namespace that is tracked; the one value of map `PLACE`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Address of the kernel's `struct pid_namespace`; 0: not known yet, so nothing is
    /// tracked.
    pub namespace: u64,
    /// Its depth below the first one.
    pub level: u32,
    /// Always 0.
    pub _pad: u32,
}

const _: () = assert!(size_of::<Place>() == 16);
