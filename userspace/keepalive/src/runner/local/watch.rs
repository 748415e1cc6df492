//! Waiting for a process to end, and for what it leaves behind.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use crate::core::{Exit, Heard, Id, Main, Run};
use crate::runner::cgroup::Cgroup;
use crate::runner::exit;

/// How often a process that isn't our child is asked for its exit code, and how long from one
/// time to the next: it is known as soon as its parent has taken it.
const ASKED: u32 = 50;
const ASKED_EVERY: Duration = Duration::from_millis(2);

/// Tells of the end of a main process, and then of that of the others, if any are left.
pub(super) async fn until_the_end(
    held: OwnedFd,
    main: Main,
    cgroup: Cgroup,
    id: Id,
    run: Run,
    tell: UnboundedSender<(Id, Run, Heard)>,
) {
    let exit = ended(held, main).await;
    let rest = cgroup.is_populated();
    let _ = tell.send((id.clone(), run, Heard::Exited { exit, rest }));
    if rest {
        until_empty(cgroup, id, run, tell).await;
    }
}

async fn ended(held: OwnedFd, main: Main) -> Exit {
    // SAFETY: the descriptor belongs to the AsyncFd from here on, and is the same as long as
    // it lives.
    let held = unsafe { AsyncFd::register_with_interest(held, Interest::READABLE) };
    let Ok(held) = held else {
        return Exit::Unknown;
    };
    if held.readable().await.is_err() {
        return Exit::Unknown;
    }
    for _ in 0..ASKED {
        match exit::exit(held.get_ref(), main) {
            Exit::Unknown => sleep(ASKED_EVERY).await,
            exit => return exit,
        }
    }
    Exit::Unknown
}

/// Tells when no process is left in a cgroup.
pub(super) async fn until_empty(
    cgroup: Cgroup,
    id: Id,
    run: Run,
    tell: UnboundedSender<(Id, Run, Heard)>,
) {
    let events = File::open(cgroup.events()).ok();
    let events = events.and_then(|file| {
        // SAFETY: the file belongs to the AsyncFd from here on, and so does its descriptor.
        unsafe { AsyncFd::register_with_interest(file, Interest::PRIORITY) }.ok()
    });
    while cgroup.is_populated() {
        let Some(events) = &events else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        // The file tells of changes since it was last read itself.
        let read = rustix::io::pread(events.get_ref(), &mut [0_u8; 256], 0);
        if read.is_err() || !cgroup.is_populated() {
            break;
        }
        match events.ready(Interest::PRIORITY).await {
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => break,
        }
    }
    let _ = tell.send((id, run, Heard::Emptied));
}

/// The process of a cgroup whose parent is not in it; of several, the oldest.
pub(super) fn topmost(cgroup: &Cgroup) -> Option<Main> {
    let pids = cgroup.pids();
    let tops = pids.iter().filter(|pid| {
        let parent = exit::parent(**pid);
        parent.is_some_and(|parent| !pids.contains(&parent))
    });
    let mains = tops.filter_map(|&pid| {
        let start = exit::start(pid)?;
        Some(Main { pid, start })
    });
    mains.min_by_key(|main| (main.start, main.pid))
}
