//! Sessions that wait for a connection. Starting one takes longer than all the rest, so a few
//! are always there.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::SESSION;

/// How many wait when nobody is expected.
const SPARE: usize = 4;
/// How many wait at most, and are started at a time.
const MOST: usize = 16;
/// When one that has been taken is replaced, if its command has not ended before.
const LATER: Duration = Duration::from_millis(20);

/// Those that wait.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    program: Option<PathBuf>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    sessions: Vec<Session>,
    /// How many are being started.
    coming: usize,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Session {
    /// Our end of its standard input.
    pub(super) socket: OwnedFd,
    pub(super) pid: u32,
    ended: JoinHandle<()>,
}

impl Sessions {
    /// `programs` is the directory of the daemon's own.
    pub(super) fn new(programs: &Path) -> Self {
        let places = [
            programs.join(SESSION),
            programs.join("../lib/ssi").join(SESSION),
        ];
        Self {
            program: places.into_iter().find(|path| path.is_file()),
            waiting: Arc::default(),
        }
    }

    /// Whether there is a program to start.
    pub(super) fn is_there(&self) -> Result<(), String> {
        let none = || format!("{SESSION} is not beside ssid nor in ../lib/ssi there: install it");
        self.program.as_ref().map(drop).ok_or_else(none)
    }

    /// Has some more started if `expected` would not all find one.
    pub(super) fn prepare(&self, expected: usize) {
        self.start_up_to(expected.min(MOST));
    }

    /// Has some started, as many as are to wait.
    pub(super) fn fill_up(&self) {
        self.start_up_to(SPARE);
    }

    /// Has one that was taken replaced, and then `also`; but not at once, as the command that
    /// begins has the processors first: where one comes after the other, there is room when one
    /// has ended.
    pub(super) fn replace(&self, taken: Session, also: impl FnOnce() + Send + 'static) {
        let sessions = self.clone();
        tokio::spawn(async move {
            let _ = timeout(LATER, taken.ended).await;
            sessions.fill_up();
            also();
        });
    }

    fn start_up_to(&self, wanted: usize) {
        if self.program.is_none() {
            return;
        }
        let missing = {
            let mut waiting = self.lock();
            let missing = wanted.saturating_sub(waiting.sessions.len() + waiting.coming);
            waiting.coming += missing;
            missing
        };
        for _ in 0..missing {
            let sessions = self.clone();
            // It takes about a millisecond, in which the daemon has other things to do.
            tokio::task::spawn_blocking(move || {
                let started = sessions.start();
                let mut waiting = sessions.lock();
                waiting.coming -= 1;
                match started {
                    Ok(session) => waiting.sessions.push(session),
                    Err(error) => tracing::warn!("cannot start {SESSION}: {error}"),
                }
            });
        }
    }

    /// One that waits, or a new one.
    pub(super) async fn take(&self) -> io::Result<Session> {
        let waiting = self.lock().sessions.pop();
        if let Some(session) = waiting {
            return Ok(session);
        }
        let sessions = self.clone();
        let started = tokio::task::spawn_blocking(move || sessions.start());
        started.await.map_err(io::Error::other)?
    }

    fn start(&self) -> io::Result<Session> {
        let program = self.program.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let mut command = tokio::process::Command::new(program);
        command.env_clear().current_dir("/");
        // What users find who ask for the node's own context.
        for name in ["PATH", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::from(File::from(theirs)));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pid = child.id().unwrap_or(0);
        // It outlives the daemon; as long as that lives, it has to be reaped.
        let ended = tokio::spawn(async move { drop(child.wait().await) });
        Ok(Session {
            socket: ours,
            pid,
            ended,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
