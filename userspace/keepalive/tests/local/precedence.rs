//! Who goes before whom.

use ssi_keepalive::core::State;
use ssi_spawn::precedence;

use super::stage::{Stage, kill, play, process};

/// The slice of a thread as the kernel has it, nanoseconds; 0: this kernel (before 6.12)
/// doesn't say.
fn slice(pid: u32) -> u64 {
    // SAFETY: zeros are a valid value of numbers.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    let size = size_of_val(&attr);
    // SAFETY: the kernel writes at most `size` bytes.
    let done = unsafe { libc::syscall(libc::SYS_sched_getattr, pid, &raw mut attr, size, 0) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    attr.sched_runtime
}

pub(crate) fn supervision_goes_before_what_it_supervises() {
    let usual = slice(1);
    let stage = Stage::new(&process("s", "exec sleep 1000", ""));
    play(async {
        let mut play = stage.open();
        precedence::take().unwrap();
        if usual > 0 {
            assert!(slice(0) < usual, "{} of {usual}", slice(0));
        }
        play.state("s", State::Ok).await;
        // One that was started by then, and the next.
        let first = stage.pids("s")[0];
        kill(first, "-KILL");
        play.until("another", |_| {
            stage.pids("s").iter().any(|pid| *pid != first)
        })
        .await;
        for pid in stage.pids("s") {
            assert_eq!(slice(pid), usual);
        }
    });
}
