//! One daemon for one control socket, and one for one packet path.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::config::Config;
use crate::state;

/// Held as long as it lives; the kernel lets go of it when the process dies, however.
pub(crate) struct Lock {
    file: Flock<File>,
    path: PathBuf,
}

impl Lock {
    /// Lets go, and removes the file.
    pub(crate) fn remove(self) -> Result<()> {
        state::remove(&self.path)?;
        drop(self.file);
        Ok(())
    }
}

/// Takes the lock. The file has the holder's process id.
pub(crate) fn take(config: &Config) -> Result<Lock> {
    let path = path(config);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    loop {
        let mut file = open(&path)?;
        // An unloading daemon may have removed the file between our opening and locking.
        let here = fs::metadata(&path).map(|at| at.ino()).ok();
        if file.metadata().map(|of| of.ino()).ok() == here {
            write_pid(&mut file).with_context(|| format!("cannot write {}", path.display()))?;
            return Ok(Lock { file, path });
        }
    }
}

fn open(path: &Path) -> Result<Flock<File>> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(mut file, e)| {
        if e != Errno::EWOULDBLOCK {
            return anyhow!("cannot lock {}: {e}", path.display());
        }
        let mut holder = String::new();
        // Only for the message.
        let _ = file.read_to_string(&mut holder);
        anyhow!(
            "another ssid is running here (process {}, it holds {}); stop it first",
            holder.trim(),
            path.display()
        )
    })
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Beside the socket, so that daemons with different sockets (in tests, in namespaces)
/// don't meet.
pub(crate) fn path(config: &Config) -> PathBuf {
    Path::new(&config.control.socket).with_extension("lock")
}
