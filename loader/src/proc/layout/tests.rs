use super::find;
use crate::kernel::{Btf, Builder};

/// What differs between kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    /// `long state`, `rss_stat.count[]`, no word about the last thread.
    V5_10,
    /// `unsigned int __state`, `percpu_counter rss_stat[]`, `group_dead`.
    V6_18,
}

/// Members at 8, 16, 24, …
fn members<'a>(names: &[&'a str], of: u32) -> Vec<(&'a str, u32, u32, u32)> {
    (1..)
        .zip(names)
        .map(|(n, name)| (*name, of, n * 64, 0))
        .collect()
}

fn kernel(kernel: Kernel, without: &str) -> Btf {
    let mut b = Builder::new();
    let int = b.int("int", 4);
    let long = b.int("long", 8);
    let pointer = b.pointer(int);
    let add = |b: &mut Builder, name: &str, names: &[&str], more: &[(&str, u32)]| {
        let mut all = members(names, long);
        for (name, of) in more {
            all.push((name, *of, (all.len() as u32 + 1) * 64, 0));
        }
        all.retain(|(name, ..)| *name != without);
        b.structure(name, 4096, &all)
    };
    let se = add(&mut b, "sched_entity", &["sum_exec_runtime"], &[]);
    let sched_info = add(&mut b, "sched_info", &["pcount", "run_delay"], &[]);
    let (state, state_type) = match kernel {
        Kernel::V5_10 => ("state", long),
        Kernel::V6_18 => ("__state", int),
    };
    let task = [
        "exit_state",
        "exit_code",
        "flags",
        "pid",
        "tgid",
        "real_parent",
        "group_leader",
        "thread_pid",
        "signal",
        "mm",
        "real_cred",
        "cgroups",
        "start_boottime",
        "utime",
        "stime",
        "nvcsw",
        "nivcsw",
        "static_prio",
        "comm",
    ];
    let more = [(state, state_type), ("sched_info", sched_info), ("se", se)];
    add(&mut b, "task_struct", &task, &more);
    let atomic = add(&mut b, "atomic", &["counter"], &[]);
    let live = b.typedef("atomic_t", atomic);
    let pids = b.array(int, pointer, 4);
    let signal = [
        "nr_threads",
        "group_exit_code",
        "flags",
        "tty",
        "utime",
        "stime",
        "nvcsw",
        "nivcsw",
        "maxrss",
        "sum_sched_runtime",
    ];
    add(
        &mut b,
        "signal_struct",
        &signal,
        &[("live", live), ("pids", pids)],
    );
    // Sixteen bytes each, so that an index shows.
    let counter = match kernel {
        Kernel::V5_10 => b.structure("long_counter", 16, &[("counter", long, 0, 0)]),
        Kernel::V6_18 => b.structure("percpu_counter", 16, &[("count", long, 64, 0)]),
    };
    let counters = b.array(int, counter, 4);
    let rss_stat = match kernel {
        Kernel::V5_10 => b.structure("mm_rss_stat", 64, &[("count", counters, 0, 0)]),
        Kernel::V6_18 => counters,
    };
    let inner = b.structure(
        "",
        512,
        &[("total_vm", long, 0, 0), ("rss_stat", rss_stat, 64, 0)],
    );
    b.structure("mm_struct", 512, &[("", inner, 1024, 0)]);
    let kuid = add(&mut b, "kuid_t", &["val"], &[]);
    add(&mut b, "cred", &[], &[("uid", kuid), ("euid", kuid)]);
    add(&mut b, "css_set", &["dfl_cgrp"], &[]);
    add(&mut b, "cgroup", &["kn"], &[]);
    add(&mut b, "kernfs_node", &["id"], &[]);
    let upid = b.structure("upid", 16, &[("nr", int, 0, 0), ("ns", pointer, 64, 0)]);
    let numbers = b.array(int, upid, 0);
    add(&mut b, "pid", &["level"], &[("numbers", numbers)]);
    add(&mut b, "tty_struct", &["index", "driver"], &[]);
    add(&mut b, "tty_driver", &["major", "minor_start"], &[]);
    let arguments = if kernel == Kernel::V5_10 { 1 } else { 2 };
    b.tracepoint("sched_process_exit", arguments, long);
    // An order that no kernel has: it is asked for, not assumed.
    let pages = [
        ("MM_SWAPENTS", 0),
        ("MM_SHMEMPAGES", 1),
        ("MM_FILEPAGES", 2),
        ("MM_ANONPAGES", 3),
    ];
    b.enumeration("", &pages);
    b.enumeration(
        "pid_type",
        &[("PIDTYPE_SID", 0), ("PIDTYPE_TGID", 2), ("PIDTYPE_PGID", 3)],
    );
    b.done()
}

#[test]
fn old_and_new_kernels_are_told_apart() {
    let old = find(&kernel(Kernel::V5_10, "")).expect("it has everything");
    let new = find(&kernel(Kernel::V6_18, "")).expect("it has everything");
    assert_eq!((old.task_state_size, new.task_state_size), (8, 4));
    assert_eq!(old.task_state, new.task_state);
    assert_eq!((old.exit_tells_last, new.exit_tells_last), (0, 1));
    // The counters lie 136 bytes in, sixteen bytes each.
    assert_eq!((old.mm_swap_entries, new.mm_swap_entries), (136, 144));
    assert_eq!((old.mm_anon_pages, new.mm_anon_pages), (184, 192));
    assert_eq!(old.mm_total_vm, 128);
    assert_eq!(new.signal_tgid - new.signal_sid, 2 * 8);
    assert_eq!(new.upid_size, 16);
    assert_eq!(new.task_run_delay - old.task_run_delay, 0);
}

#[test]
fn what_may_be_absent_may_be_absent() {
    let layout = find(&kernel(Kernel::V6_18, "run_delay")).expect("it has what it needs");
    assert_eq!(layout.task_run_delay, ssi_abi::proc::ABSENT);
}

#[test]
fn what_is_missing_is_named() {
    let missing = find(&kernel(Kernel::V6_18, "start_boottime")).expect_err("it is missing");
    assert!(missing.contains("task_struct.start_boottime"), "{missing}");
    let missing = find(&kernel(Kernel::V6_18, "__state")).expect_err("it is missing");
    assert!(missing.contains("__state"), "{missing}");
}
