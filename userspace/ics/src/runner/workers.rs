//! Threads: bulk has one of its own, so that its encryption and its copying hold nobody
//! up. Calls and replies stay on the daemon's thread: a reply that another thread reads
//! would cost its caller a wakeup between threads.

use std::io;
use std::thread::{self, ThreadId};

use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};

use crate::core::Lane;

/// How many threads serve lanes, and how many sockets listen for them.
pub const WORKERS: usize = 2;

/// How much nicer the bulk thread is than the others (nice(2)): urgent calls get the
/// processor at once, and bulk still gets all that they leave.
const NICER: i32 = 10;

/// Which of the [`WORKERS`] serves a lane. The socket with this place listens for it.
#[must_use]
pub const fn worker(lane: Lane) -> usize {
    match lane {
        Lane::Calls(_) | Lane::Reply | Lane::PriorityReply => 0,
        Lane::Bulk => 1,
    }
}

/// Linux counts niceness by thread. Nobody is refused more of it; and if it were, bulk would
/// only be less polite.
fn be_nice() {
    let now = getpriority_process(None).unwrap_or(0);
    let _ = setpriority_process(None, (now + NICER).min(19));
}

/// The threads' runtimes.
pub(super) struct Workers {
    main: Handle,
    bulk: Handle,
    bulk_thread: ThreadId,
}

impl Workers {
    /// The bulk thread runs until all is stopped, or the runtime that this is called in goes.
    pub(super) fn start(mut stopped: watch::Receiver<bool>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (main, bulk) = (Handle::current(), runtime.handle().clone());
        let (goes_on, over) = oneshot::channel::<()>();
        main.spawn(async move {
            // An error would mean that the sender has gone, and all with it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            drop(goes_on);
        });
        let thread = thread::Builder::new()
            .name("ssi-bulk".to_owned())
            .spawn(move || {
                be_nice();
                // Nothing is ever sent.
                let _ = runtime.block_on(over);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            main,
            bulk,
            bulk_thread: thread.thread().id(),
        })
    }

    /// The worker with this number; what has no lane runs on number 0.
    pub(super) fn at(&self, worker: usize) -> &Handle {
        if worker == 0 { &self.main } else { &self.bulk }
    }

    /// Whether whoever runs now may write to a lane: to bulk, only its own thread.
    pub(super) fn may_write(&self, lane: Lane) -> bool {
        worker(lane) == 0 || thread::current().id() == self.bulk_thread
    }
}
