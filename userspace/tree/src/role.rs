//! The process that serves the tree.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::signal::unix::{SignalKind, signal};

use crate::keep::write_pid;
use crate::proc::{self, Places};

/// What a program is started with to serve clusterwide /proc; where that is, where that of
/// shells is, `ssid`'s socket, and the file that is locked meanwhile follow.
pub(crate) const ARGUMENT: &str = "--serve-proc";
/// What it is called then.
pub(crate) const NAME: &str = "ssid-proc";

/// To be called first of all by a program that [keeps](crate::Tree::keep) the tree: if it was started
/// to serve it, it does, and its exit status is returned at the end.
pub fn serve_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return None;
    }
    let mut next = || arguments.next().map(PathBuf::from).unwrap_or_default();
    let places = Places {
        proc: next(),
        shell: next(),
    };
    Some(match serve(&places, next(), next()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::warn!("{error:#}");
            ExitCode::FAILURE
        }
    })
}

fn serve(places: &Places, socket: PathBuf, lock: PathBuf) -> Result<()> {
    // No terminal, no job: a signal to those is not for it. It can't fail, as it leads no group.
    let _ = rustix::process::setsid();
    // SAFETY: nothing in this process has a descriptor beyond the standard ones yet.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    let _ = rustix::thread::set_name(c"ssid-proc");
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let held = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&lock)
        .with_context(|| format!("cannot open {}", lock.display()))?;
    match flock(&held, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => write_pid(&held).with_context(|| format!("cannot write {}", lock.display()))?,
        // Another serves it.
        Err(Errno::WOULDBLOCK) => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot lock {}", lock.display())),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Each waits for an answer of ssid.
        .max_blocking_threads(16)
        .build()
        .context("cannot start the runtime")?;
    let served = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        proc::serve(places, socket, end).await?;
        Ok(())
    });
    runtime.shutdown_background();
    served
}
