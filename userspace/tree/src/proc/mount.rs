//! The tree's place among the node's mounts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fuse3::MountOptions;
use fuse3::raw::{MountHandle, Session};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount_remount, unmount};

use super::daemon::Daemon;
use super::entry::Entry;
use super::files::Files;

/// Why it can't be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// There is no place for it.
    #[error("cannot make {path}: {source}")]
    Place {
        /// Where it was to be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel refuses.
    #[error(
        "cannot mount {path}: {source}; this needs FUSE in the kernel (modprobe fuse) and /dev/fuse"
    )]
    Mount {
        /// Where it was to be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It can't be served any longer.
    #[error("cannot serve {path} any longer: {source}")]
    Served {
        /// Where it is.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Where the trees are.
#[derive(Clone, Debug)]
pub struct Places {
    /// Clusterwide /proc.
    pub proc: PathBuf,
    /// What shells have as their /proc; nothing but a place to take it from.
    pub shell: PathBuf,
}

/// Mounts clusterwide /proc and what shells have of it, in place of what one that was killed has
/// left there, and serves them until `end` or until somebody unmounts one. `socket` is that of
/// `ssid`.
///
/// # Errors
/// See [`MountError`].
pub async fn serve(
    places: &Places,
    socket: PathBuf,
    end: impl Future<Output = ()>,
) -> Result<(), MountError> {
    let daemon = Daemon::new(socket);
    let Places { proc, shell } = places;
    let mut for_all = mount(proc, Files::new(daemon.clone(), Entry::Root)).await?;
    let mut for_shells = mount(shell, Files::new(daemon, Entry::Shell)).await?;
    tracing::info!("clusterwide /proc is at {}", proc.display());
    let served = |path: &Path, source| MountError::Served {
        path: path.to_owned(),
        source,
    };
    let ended = tokio::select! {
        ended = &mut for_all => ended.map_err(|source| served(proc, source)),
        ended = &mut for_shells => ended.map_err(|source| served(shell, source)),
        () = end => Ok(()),
    };
    for path in [proc, shell] {
        // Whoever is in it keeps it until they leave; new ones find it gone. One may be gone.
        match unmount(path.as_path(), UnmountFlags::DETACH) {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(served(path, error.into())),
        }
    }
    ended
}

async fn mount(path: &Path, files: Files) -> Result<MountHandle, MountError> {
    let named =
        |error: fn(PathBuf, io::Error) -> MountError| move |source| error(path.to_owned(), source);
    clear(path).map_err(named(|path, source| MountError::Place { path, source }))?;
    let mut options = MountOptions::default();
    options
        .fs_name("ssi-proc")
        .allow_other(true)
        .read_only(true)
        .nonempty(true);
    let mounted = Session::new(options).mount(files, path).await;
    let mounted = mounted.map_err(named(|path, source| MountError::Mount { path, source }))?;
    let flags = MountFlags::BIND
        | MountFlags::RDONLY
        | MountFlags::NOSUID
        | MountFlags::NODEV
        | MountFlags::NOEXEC;
    let closed = mount_remount(path, flags, c"").map_err(io::Error::from);
    closed.map_err(named(|path, source| MountError::Mount { path, source }))?;
    Ok(mounted)
}

/// Makes the directory, and removes the mount of a server that is gone.
fn clear(path: &Path) -> io::Result<()> {
    let dead = |error: &io::Error| {
        matches!(
            error.raw_os_error(),
            Some(libc::ENOTCONN | libc::ECONNABORTED)
        )
    };
    while let Err(error) = fs::read_dir(path) {
        if dead(&error) {
            unmount(path, UnmountFlags::DETACH)?;
        } else if error.kind() == io::ErrorKind::NotFound {
            fs::create_dir_all(path)?;
        } else {
            return Err(error);
        }
    }
    Ok(())
}
