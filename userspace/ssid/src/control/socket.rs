use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use nix::unistd::Group;
use ssi_api::control::{Failure, FailureKind};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use super::{Answers, client};
use crate::config::Control;

/// Clients served at one time; more are told to come back.
const MOST_CLIENTS: usize = 64;

/// The listening socket; its file goes when it is dropped.
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens, for root and the configured group. A socket that a dead daemon left is
/// replaced; call this only with the lock held.
pub(crate) fn bind(config: &Control) -> Result<Listener> {
    let path = &config.socket;
    listen(path, &config.group).with_context(|| format!("cannot listen at {}", path.display()))
}

fn listen(path: &Path, group: &str) -> Result<Listener> {
    // Made under another name, so that nobody finds it before its rights are set.
    let new = path.with_extension("new");
    for stale in [&new, path] {
        match fs::remove_file(stale) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
    }
    let listener = UnixListener::bind(&new)?;
    match Group::from_name(group)? {
        Some(group) => {
            chown(&new, None, Some(group.gid.as_raw()))?;
            fs::set_permissions(&new, Permissions::from_mode(0o660))?;
        }
        None => {
            tracing::info!(
                "there is no group {group}: only root can use {}",
                path.display()
            );
            fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        }
    }
    fs::rename(&new, path)?;
    Ok(Listener {
        listener,
        path: path.to_owned(),
    })
}

/// Serves clients until the process ends. Returns only if the socket fails.
pub(crate) async fn serve(listener: &Listener, answers: Arc<Answers>) -> io::Error {
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    loop {
        let stream = match listener.listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors or memory: what is open may close again.
            Err(e) if is_passing(&e) => {
                tracing::warn!("cannot accept a client: {e}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            Err(e) => return e,
        };
        match places.clone().try_acquire_owned() {
            Ok(place) => {
                let answers = answers.clone();
                tokio::spawn(async move {
                    client::serve(stream, &answers).await;
                    drop(place);
                });
            }
            Err(_) => {
                let busy = format!("more than {MOST_CLIENTS} clients; try again later");
                let busy = Failure::new(FailureKind::Busy, busy);
                tokio::spawn(client::refuse(stream, busy));
            }
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EMFILE
                | libc::ENFILE
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::ECONNABORTED
                | libc::EINTR
        )
    )
}
