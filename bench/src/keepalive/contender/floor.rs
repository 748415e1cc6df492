//! What nobody can be faster than: a thread that waits for its child and starts the next.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Contender;
use crate::keepalive::news::News;

/// waitpid(2) and posix_spawn(3) in turn.
#[derive(Debug, Default)]
pub(super) struct Floor {
    over: Arc<AtomicBool>,
    pid: Arc<AtomicU32>,
}

impl Contender for Floor {
    fn name(&self) -> String {
        "posix_spawn".to_owned()
    }

    fn start(&mut self, _: &Path, news: &News) -> Result<()> {
        let (over, pid) = (self.over.clone(), self.pid.clone());
        let program = news.program.clone();
        let mut child = Command::new(&program).spawn()?;
        thread::spawn(move || {
            loop {
                pid.store(child.id(), Ordering::Relaxed);
                if child.wait().is_err() || over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(next) = Command::new(&program).spawn() else {
                    return;
                };
                child = next;
            }
        });
        Ok(())
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Ok(pid @ 2..) = i32::try_from(self.pid.load(Ordering::Relaxed)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
