//! Threads of this process inside another host's network.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// A network namespace of a node or of the client host.
#[derive(Clone)]
pub struct NetNs(Arc<File>);

impl NetNs {
    /// That of process `pid`.
    pub fn of(pid: u32) -> Self {
        let path = format!("/proc/{pid}/ns/net");
        let file = File::open(Path::new(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(Arc::new(file))
    }

    /// Moves the calling thread into it, for good.
    pub fn enter(&self) {
        setns(&*self.0, CloneFlags::CLONE_NEWNET).expect("setns needs root");
    }

    /// Runs `work` in a thread inside it.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let net = self.clone();
        let worker = thread::spawn(move || {
            net.enter();
            work()
        });
        match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
