//! One daemon for one control socket, and one for one packet path.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::config::Config;

/// Held as long as it lives; the kernel lets go of it when the process dies, however.
pub(crate) struct Lock {
    _file: Flock<File>,
}

/// Takes the lock. The file has the holder's process id.
pub(crate) fn take(config: &Config) -> Result<Lock> {
    let path = path(config);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => file,
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut holder = String::new();
            // Only for the message.
            let _ = file.read_to_string(&mut holder);
            bail!(
                "another ssid is running here (process {}, it holds {}); stop it first",
                holder.trim(),
                path.display()
            );
        }
        Err((_, e)) => bail!("cannot lock {}: {e}", path.display()),
    };
    write_pid(&mut file).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Lock { _file: file })
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Beside the socket, so that daemons with different sockets (in tests, in namespaces)
/// don't meet.
fn path(config: &Config) -> PathBuf {
    Path::new(&config.control.socket).with_extension("lock")
}
