use super::COMM;

/// What happened to a process.
pub mod kind {
    /// It came to be, by fork, vfork or clone; threads are not told of.
    pub const FORK: u32 = 1;
    /// It executes another program.
    pub const EXEC: u32 = 2;
    /// Its last thread ended.
    pub const EXIT: u32 = 3;
}

/// The records of the ring `EVENTS`, in the order in which things happened.
///
/// Numbers of processes are those of the tracked pid namespace, 0 for what is outside it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: u64,
    /// When the process started.
    pub start: u64,
    /// Which cgroup (v2) it is in: the inode number of its directory.
    pub cgroup: u64,
    /// At exit: processor time of all its threads, nanoseconds.
    pub run: u64,
    /// At exit: the part of it in user mode, as clock ticks sampled it, nanoseconds.
    pub utime: u64,
    /// At exit: the part of it in the kernel.
    pub stime: u64,
    /// At exit: the most memory it ever had resident, pages.
    pub max_rss: u64,
    /// One of [`kind`].
    pub kind: u32,
    /// Which process.
    pub pid: u32,
    /// Its parent.
    pub ppid: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// Real user, as the first user namespace numbers it.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// At exit: how it ended, as `wait(2)` tells it.
    pub status: u32,
    /// Name of the program, ended by a zero.
    pub comm: [u8; COMM],
}

const _: () = assert!(size_of::<Event>() == 104);
