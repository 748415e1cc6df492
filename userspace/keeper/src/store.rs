//! The service manager's store of descriptors (sd_pid_notify_with_fds(3), sd_listen_fds(3)).

use std::env;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::message;

/// What ours are called there.
const NAME: &str = "ssi";
/// Where descriptors begin that the manager passes (`SD_LISTEN_FDS_START`).
const FIRST: i32 = 3;

/// Whether there is one. systemd tells by `FDSTORE` how many it takes since version 254;
/// for earlier ones, the unit has to say so (`Environment=`).
pub(crate) fn is_offered() -> bool {
    let room = env::var("FDSTORE").ok();
    let room: usize = room.and_then(|room| room.parse().ok()).unwrap_or(0);
    room > 0 && env::var_os("NOTIFY_SOCKET").is_some()
}

/// What the store had for this process; nothing when asked again.
pub(crate) fn take() -> Vec<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let var = |name| env::var(name).unwrap_or_default();
    let ours = var("LISTEN_PID") == std::process::id().to_string();
    if !ours || TAKEN.swap(true, Ordering::AcqRel) {
        return Vec::new();
    }
    let names = var("LISTEN_FDNAMES");
    numbers(&var("LISTEN_FDS"), &names)
        .into_iter()
        .filter_map(|number| {
            // SAFETY: the manager has passed it to this process, and it is taken once.
            let socket = unsafe { OwnedFd::from_raw_fd(number) };
            // Our children are not meant.
            rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC).ok()?;
            Some(socket)
        })
        .collect()
}

/// Which of the descriptors that were passed are ours.
fn numbers(count: &str, names: &str) -> Vec<i32> {
    let count: usize = count.parse().unwrap_or(0);
    let names = names.split(':').take(count.min(message::MOST));
    (FIRST..)
        .zip(names)
        .filter_map(|(number, name)| (name == NAME).then_some(number))
        .collect()
}

/// Has the store hold these, and no others of ours.
pub(crate) fn hold(sockets: &[OwnedFd]) -> io::Result<()> {
    let path = env::var_os("NOTIFY_SOCKET").ok_or(io::ErrorKind::NotFound)?;
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(path.as_bytes())?,
    };
    let flags = SocketFlags::CLOEXEC;
    let manager = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    connect(&manager, &address)?;
    let remove = format!("FDSTOREREMOVE=1\nFDNAME={NAME}");
    message::send(&manager, remove.as_bytes(), &[])?;
    if sockets.is_empty() {
        return Ok(());
    }
    // A socket that listens has nothing that the manager should look at.
    let store = format!("FDSTORE=1\nFDNAME={NAME}\nFDPOLL=0");
    message::send(&manager, store.as_bytes(), sockets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ours_are_found_by_name() {
        assert_eq!(numbers("4", "ssi:control:ssi:x"), [3, 5]);
        assert_eq!(numbers("1", "ssi:ssi"), [3]);
        assert_eq!(numbers("", "ssi"), []);
    }

    proptest! {
        #[test]
        fn whatever_the_environment_says(count in ".{0,8}", names in "[ssi:]{0,40}") {
            let found = numbers(&count, &names);
            prop_assert!(found.iter().all(|number| *number >= FIRST));
            prop_assert!(found.len() <= message::MOST);
        }
    }
}
