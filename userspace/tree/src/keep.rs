//! Sees to it that the tree is served, by a process that outlives whoever started it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::proc::Places;
use crate::role;

/// How often it is looked whether one that somebody else started still serves.
const LOOK: Duration = Duration::from_secs(1);
/// How long the server may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the tree is, and who is asked about what is in it.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where it is mounted.
    pub places: Places,
    /// `ssid`'s control socket.
    pub socket: PathBuf,
    /// A file that its server has locked, and that says its pid.
    pub lock: PathBuf,
}

impl Tree {
    /// Has the tree served: starts a server where none runs, and another one when it is killed.
    /// Returns when it was unmounted, or can't be served.
    ///
    /// # Errors
    /// No process can be started.
    pub async fn keep(&self) -> io::Result<()> {
        loop {
            if self.is_served()? {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let mut server = Command::new("/proc/self/exe");
            server
                .arg0(role::NAME)
                .arg(role::ARGUMENT)
                .args([&self.places.proc, &self.places.shell])
                .args([&self.socket, &self.lock])
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            let ended = server.spawn()?.wait().await?;
            if let Some(code) = ended.code() {
                // It has said why, or was told to end.
                tracing::debug!("clusterwide /proc is served no more, status {code}");
                return Ok(());
            }
            tracing::warn!(
                "the server of clusterwide /proc was killed ({ended}); another one starts"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends the server, which unmounts the tree; there may be none.
    ///
    /// # Errors
    /// It does not end.
    pub fn end(&self) -> io::Result<()> {
        let begun = Instant::now();
        while self.is_served()? {
            if begun.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if let Some(pid) = read_pid(&self.lock)? {
                match kill_process(pid, Signal::TERM) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        match std::fs::remove_file(&self.lock) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether a server runs.
    fn is_served(&self) -> io::Result<bool> {
        let file = match File::open(&self.lock) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// Says in a locked file who has locked it.
pub(crate) fn write_pid(mut locked: &File) -> io::Result<()> {
    locked.set_len(0)?;
    locked.rewind()?;
    writeln!(locked, "{}", std::process::id())
}

/// What a locked file says; it may be being written.
fn read_pid(lock: &Path) -> io::Result<Option<Pid>> {
    let mut text = String::new();
    File::open(lock)?.take(32).read_to_string(&mut text)?;
    let number = text
        .strip_suffix('\n')
        .and_then(|number| number.parse().ok());
    Ok(number.and_then(Pid::from_raw))
}
