//! From tasks to processes.

use std::time::Duration;

use rustc_hash::FxHashMap;
use ssi_abi::proc::{Task, task_flag};

use super::{Comm, Id, Process, State};

/// Adds the threads up. `page`: bytes of a page. Threads whose first thread is not among
/// them are left out: their process began or ended just then.
#[must_use]
pub fn fold(tasks: &[Task], page: u64) -> Vec<Process> {
    let leads = |task: &&Task| task.pid == task.tgid;
    let mut processes: Vec<_> = tasks
        .iter()
        .filter(leads)
        .map(|task| process(task, page))
        .collect();
    // Most processes have one thread, and nothing to be added.
    let with_threads: FxHashMap<u32, usize> = processes
        .iter()
        .enumerate()
        .filter(|(_, process)| process.threads > 1)
        .map(|(index, process)| (process.id.pid, index))
        .collect();
    if !with_threads.is_empty() {
        for thread in tasks.iter().filter(|task| !leads(task)) {
            if let Some(index) = with_threads.get(&thread.tgid) {
                add(&mut processes[*index], thread, page);
            }
        }
    }
    for process in &mut processes {
        (process.utime, process.stime) = split(process.run, process.utime, process.stime);
    }
    processes
}

fn process(task: &Task, page: u64) -> Process {
    Process {
        id: Id {
            pid: task.pid,
            start: task.start,
        },
        ppid: task.ppid,
        pgid: task.pgid,
        sid: task.sid,
        uid: task.uid,
        euid: task.euid,
        tty: task.tty,
        cgroup: task.cgroup,
        run: Duration::from_nanos(task.run),
        wait: Duration::from_nanos(task.wait),
        utime: Duration::from_nanos(task.utime),
        stime: Duration::from_nanos(task.stime),
        voluntary: task.voluntary,
        involuntary: task.involuntary,
        rss: task.rss.saturating_mul(page),
        swap: task.swap.saturating_mul(page),
        size: task.size.saturating_mul(page),
        state: State::of_bits(task.state),
        threads: task.threads,
        nice: task.nice,
        kernel: task.flags & task_flag::KERNEL != 0,
        comm: Comm::new(&task.comm),
    }
}

fn add(process: &mut Process, thread: &Task, page: u64) {
    let more = |to: &mut Duration, nanos| *to = to.saturating_add(Duration::from_nanos(nanos));
    more(&mut process.run, thread.run);
    more(&mut process.wait, thread.wait);
    more(&mut process.utime, thread.utime);
    more(&mut process.stime, thread.stime);
    process.voluntary = process.voluntary.saturating_add(thread.voluntary);
    process.involuntary = process.involuntary.saturating_add(thread.involuntary);
    // Memory is common to all; a first thread that has ended has let go of it.
    process.rss = process.rss.max(thread.rss.saturating_mul(page));
    process.swap = process.swap.max(thread.swap.saturating_mul(page));
    process.size = process.size.max(thread.size.saturating_mul(page));
}

/// The exact processor time, in the proportion in which clock ticks found it in user mode
/// and in the kernel: what /proc shows (`cputime_adjust` of `kernel/sched/cputime.c`).
pub(super) fn split(run: Duration, utime: Duration, stime: Duration) -> (Duration, Duration) {
    let ticks = utime.as_nanos() + stime.as_nanos();
    if stime.is_zero() || ticks == 0 {
        return (run, Duration::ZERO);
    }
    let nanos = stime.as_nanos().saturating_mul(run.as_nanos()) / ticks;
    let stime = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(run);
    (run - stime, stime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of process `tgid`, of which it is the first if `pid` is the same.
    fn task(pid: u32, tgid: u32, threads: u32, run: u64) -> Task {
        Task {
            pid,
            tgid,
            threads,
            run,
            wait: run * 2,
            voluntary: 1,
            rss: u64::from(pid),
            ..Task::default()
        }
    }

    proptest! {
        #[test]
        fn nothing_is_counted_twice_or_forgotten(
            processes in prop::collection::vec(prop::collection::vec(0_u64..1 << 40, 1..8), 0..20),
            order in any::<prop::sample::Index>(),
        ) {
            let mut tasks = Vec::new();
            for (tgid, runs) in (1_u32..).map(|n| n * 100).zip(&processes) {
                for (pid, run) in (tgid..).zip(runs) {
                    tasks.push(task(pid, tgid, runs.len() as u32, *run));
                }
            }
            // The kernel writes them by number, which need not be by age.
            if !tasks.is_empty() {
                let middle = order.index(tasks.len());
                tasks.rotate_left(middle);
            }
            let folded = fold(&tasks, 4096);
            prop_assert_eq!(folded.len(), processes.len());
            for process in folded {
                let runs = &processes[process.id.pid as usize / 100 - 1];
                let run: u64 = runs.iter().sum();
                prop_assert_eq!(process.run, Duration::from_nanos(run));
                prop_assert_eq!(process.wait, Duration::from_nanos(run * 2));
                prop_assert_eq!(process.utime + process.stime, process.run);
                prop_assert_eq!(process.voluntary, runs.len() as u64);
                let last = u64::from(process.id.pid) + runs.len() as u64 - 1;
                prop_assert_eq!(process.rss, last * 4096);
            }
        }

        #[test]
        fn both_parts_are_the_whole(run: u64, utime: u64, stime: u64) {
            let of = Duration::from_nanos;
            let (user, kernel) = split(of(run), of(utime), of(stime));
            prop_assert_eq!(user + kernel, of(run));
        }

        #[test]
        fn any_record_is_taken(bytes in prop::collection::vec(any::<u64>(), 19)) {
            let mut task = Task { start: bytes[0], cgroup: bytes[1], run: bytes[2], ..Task::default() };
            (task.wait, task.utime, task.stime) = (bytes[3], bytes[4], bytes[5]);
            (task.rss, task.swap, task.size) = (bytes[6], bytes[7], bytes[8]);
            (task.pid, task.tgid) = (bytes[9] as u32 % 3, bytes[10] as u32 % 3);
            (task.threads, task.state) = (bytes[11] as u32, bytes[12] as u32);
            let folded = fold(&[task, task], 4096);
            prop_assert_eq!(folded.len(), if task.pid == task.tgid { 2 } else { 0 });
        }
    }

    #[test]
    fn a_thread_without_its_first_is_left_out() {
        assert!(fold(&[task(2, 1, 2, 5)], 4096).is_empty());
    }
}
