//! Where this kernel has what the programs read.
//!
//! Names and types of some fields differ between kernels 5.8 and 6.18; each difference is
//! here and nowhere else.

use ssi_abi::proc::{ABSENT, Layout};

use crate::kernel::{Btf, Field};

/// Finds everything, or says what this kernel has not.
pub(super) fn find(btf: &Btf) -> Result<Layout, String> {
    let at = |names: &str| {
        walk(btf, names)
            .map(|field| field.offset())
            .ok_or_else(|| format!("this kernel's BTF has no {names}"))
    };
    let optional = |names: &str| walk(btf, names).map_or(ABSENT, |field| field.offset());
    let (state, state_size) = state(btf).ok_or("this kernel's BTF has no task_struct.__state")?;
    let pages = |name: &str, number: u32| {
        pages(btf, btf.enumerator(name).unwrap_or(number))
            .ok_or_else(|| format!("this kernel's BTF has no mm_struct.rss_stat for {name}"))
    };
    let numbers = |name: &str, number: u32| {
        walk(btf, "signal_struct.pids")
            .and_then(|pids| pids.element(btf.enumerator(name).unwrap_or(number)))
            .map(|field| field.offset())
            .ok_or_else(|| format!("this kernel's BTF has no signal_struct.pids for {name}"))
    };
    Ok(Layout {
        task_state: state,
        task_state_size: state_size,
        task_exit_state: at("task_struct.exit_state")?,
        task_exit_code: at("task_struct.exit_code")?,
        task_flags: at("task_struct.flags")?,
        task_pid: at("task_struct.pid")?,
        task_tgid: at("task_struct.tgid")?,
        task_real_parent: at("task_struct.real_parent")?,
        task_group_leader: at("task_struct.group_leader")?,
        task_thread_pid: at("task_struct.thread_pid")?,
        task_signal: at("task_struct.signal")?,
        task_mm: at("task_struct.mm")?,
        task_real_cred: at("task_struct.real_cred")?,
        task_cgroups: optional("task_struct.cgroups"),
        task_start_boottime: at("task_struct.start_boottime")?,
        task_utime: at("task_struct.utime")?,
        task_stime: at("task_struct.stime")?,
        task_nvcsw: at("task_struct.nvcsw")?,
        task_nivcsw: at("task_struct.nivcsw")?,
        task_static_prio: at("task_struct.static_prio")?,
        task_comm: at("task_struct.comm")?,
        task_runtime: at("task_struct.se.sum_exec_runtime")?,
        task_run_delay: optional("task_struct.sched_info.run_delay"),
        signal_live: at("signal_struct.live.counter")?,
        signal_nr_threads: at("signal_struct.nr_threads")?,
        signal_group_exit_code: at("signal_struct.group_exit_code")?,
        signal_flags: at("signal_struct.flags")?,
        signal_tgid: numbers("PIDTYPE_TGID", 1)?,
        signal_pgid: numbers("PIDTYPE_PGID", 2)?,
        signal_sid: numbers("PIDTYPE_SID", 3)?,
        signal_tty: at("signal_struct.tty")?,
        signal_utime: at("signal_struct.utime")?,
        signal_stime: at("signal_struct.stime")?,
        signal_nvcsw: at("signal_struct.nvcsw")?,
        signal_nivcsw: at("signal_struct.nivcsw")?,
        signal_maxrss: at("signal_struct.maxrss")?,
        signal_sum_sched_runtime: at("signal_struct.sum_sched_runtime")?,
        mm_file_pages: pages("MM_FILEPAGES", 0)?,
        mm_anon_pages: pages("MM_ANONPAGES", 1)?,
        mm_shmem_pages: pages("MM_SHMEMPAGES", 3)?,
        mm_swap_entries: pages("MM_SWAPENTS", 2)?,
        mm_total_vm: at("mm_struct.total_vm")?,
        cred_uid: at("cred.uid.val")?,
        cred_euid: at("cred.euid.val")?,
        css_set_dfl_cgrp: optional("css_set.dfl_cgrp"),
        cgroup_kn: optional("cgroup.kn"),
        kernfs_node_id: optional("kernfs_node.id"),
        pid_level: at("pid.level")?,
        pid_numbers: at("pid.numbers")?,
        upid_size: btf
            .structure("upid")
            .and_then(|upid| upid.size())
            .ok_or("this kernel's BTF has no struct upid")?,
        upid_nr: at("upid.nr")?,
        upid_ns: at("upid.ns")?,
        tty_index: at("tty_struct.index")?,
        tty_driver: at("tty_struct.driver")?,
        tty_driver_major: at("tty_driver.major")?,
        tty_driver_minor_start: at("tty_driver.minor_start")?,
        // Since kernel 6.16 `group_dead` follows the task.
        exit_tells_last: u32::from(btf.tracepoint("sched_process_exit") >= Some(2)),
    })
}

/// "structure.member.member"
fn walk<'a>(btf: &'a Btf, names: &str) -> Option<Field<'a>> {
    let mut names = names.split('.');
    let structure = btf.structure(names.next()?)?;
    names.try_fold(structure, |field, name| field.member(name))
}

/// Offset and size. `long state` became `unsigned int __state` in kernel 5.14.
fn state(btf: &Btf) -> Option<(u32, u32)> {
    let field = walk(btf, "task_struct.__state").or_else(|| walk(btf, "task_struct.state"))?;
    Some((field.offset(), field.size()?))
}

/// A counter of resident pages. Until kernel 6.1 `rss_stat` is a structure with an array
/// `count` of `atomic_long_t`, since 6.2 an array of `percpu_counter`.
fn pages(btf: &Btf, index: u32) -> Option<u32> {
    let stat = walk(btf, "mm_struct.rss_stat")?;
    let counter = match stat.member("count") {
        Some(counts) => counts.element(index)?.member("counter")?,
        None => stat.element(index)?.member("count")?,
    };
    Some(counter.offset())
}

#[cfg(test)]
mod tests;
