/// A field that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Where this kernel's structures have what the programs read: offsets in bytes from the
/// beginning of the structure that begins the name. The loader finds them in the kernel's
/// BTF; to the programs they are constants by the time the verifier sees them.
///
/// [`ABSENT`] is allowed where it says "may be absent".
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as the kernel names it")]
pub struct Layout {
    /// `__state` (kernel 5.14), else `state`.
    pub task_state: u32,
    /// Bytes of it: 4, before kernel 5.14 8.
    pub task_state_size: u32,
    pub task_exit_state: u32,
    pub task_exit_code: u32,
    pub task_flags: u32,
    pub task_pid: u32,
    pub task_tgid: u32,
    pub task_real_parent: u32,
    pub task_group_leader: u32,
    pub task_thread_pid: u32,
    pub task_signal: u32,
    pub task_mm: u32,
    pub task_real_cred: u32,
    pub task_cgroups: u32,
    pub task_start_boottime: u32,
    pub task_utime: u32,
    pub task_stime: u32,
    pub task_nvcsw: u32,
    pub task_nivcsw: u32,
    pub task_static_prio: u32,
    pub task_comm: u32,
    /// `se.sum_exec_runtime`.
    pub task_runtime: u32,
    /// `sched_info.run_delay`; may be absent (`CONFIG_SCHED_INFO`).
    pub task_run_delay: u32,
    pub signal_live: u32,
    pub signal_nr_threads: u32,
    pub signal_group_exit_code: u32,
    pub signal_flags: u32,
    /// `pids[PIDTYPE_TGID]`.
    pub signal_tgid: u32,
    /// `pids[PIDTYPE_PGID]`.
    pub signal_pgid: u32,
    /// `pids[PIDTYPE_SID]`.
    pub signal_sid: u32,
    pub signal_tty: u32,
    pub signal_utime: u32,
    pub signal_stime: u32,
    pub signal_nvcsw: u32,
    pub signal_nivcsw: u32,
    pub signal_maxrss: u32,
    pub signal_sum_sched_runtime: u32,
    /// The counters of `rss_stat` (kernel 6.2: each a `percpu_counter`).
    pub mm_file_pages: u32,
    pub mm_anon_pages: u32,
    pub mm_shmem_pages: u32,
    pub mm_swap_entries: u32,
    pub mm_total_vm: u32,
    pub cred_uid: u32,
    pub cred_euid: u32,
    /// May be absent, as the two that follow (`CONFIG_CGROUPS`).
    pub css_set_dfl_cgrp: u32,
    pub cgroup_kn: u32,
    pub kernfs_node_id: u32,
    pub pid_level: u32,
    /// `numbers[0]`.
    pub pid_numbers: u32,
    /// Bytes of a `struct upid`.
    pub upid_size: u32,
    pub upid_nr: u32,
    pub upid_ns: u32,
    pub tty_index: u32,
    pub tty_driver: u32,
    pub tty_driver_major: u32,
    pub tty_driver_minor_start: u32,
    /// Not an offset: 1 if the tracepoint `sched_process_exit` says whether the process ends
    /// with the thread (kernel 6.16).
    pub exit_tells_last: u32,
}

const _: () = assert!(size_of::<Layout>() == 57 * 4);
