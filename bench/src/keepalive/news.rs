//! What the supervised programs say: which they are, and when their first instruction ran.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::mkfifo;

use super::program;

/// How long the slowest may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A process, and when it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Born {
    pub(super) pid: i32,
    /// By `CLOCK_MONOTONIC`, nanoseconds.
    pub(super) at: u64,
}

/// A program, and the pipe it speaks into.
#[derive(Debug)]
pub(super) struct News {
    pipe: File,
    pub(super) program: PathBuf,
}

impl News {
    /// Makes both in a folder; `name` tells the programs apart.
    pub(super) fn new(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.pipe"));
        mkfifo(&path, Mode::from_bits_truncate(0o600))?;
        // With an end to write to of our own it never ends.
        let pipe = OpenOptions::new().read(true).write(true).open(&path)?;
        let program = folder.join(name);
        program::write(&program, &path)?;
        Ok(Self { pipe, program })
    }

    /// The next one that begins.
    pub(super) fn next(&mut self) -> Result<Born> {
        self.within(PATIENCE)?
            .with_context(|| format!("{} was not started in time", self.program.display()))
    }

    /// The next one that begins, if one does in this time.
    pub(super) fn within(&mut self, patience: Duration) -> Result<Option<Born>> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
            let mut wait = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
            match poll(&mut wait, left) {
                Err(nix::errno::Errno::EINTR) => continue,
                Ok(0) => return Ok(None),
                ready => ready?,
            };
            break;
        }
        let mut words = [[0; 8]; 3];
        self.pipe.read_exact(words.as_flattened_mut())?;
        let [pid, secs, nanos] = words.map(u64::from_ne_bytes);
        let pid = i32::try_from(pid)?;
        if pid < 2 {
            bail!("process {pid} can't be");
        }
        let at = secs * 1_000_000_000 + nanos;
        Ok(Some(Born { pid, at }))
    }
}

/// By the clock of [`Born::at`].
pub(super) fn now() -> Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(now.tv_sec().unsigned_abs() * 1_000_000_000 + now.tv_nsec().unsigned_abs())
}
