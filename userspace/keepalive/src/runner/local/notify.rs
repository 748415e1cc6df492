//! What processes say of themselves, as sd_notify(3) does.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use crate::core::Heard;
use crate::runner::spawn::NOTIFY;

/// The longest message that is read; what is behind is cut off.
const LONGEST: usize = 4096;

/// How many messages are taken before others have their turn.
const AT_ONCE: usize = 16;

/// A socket for one run of an instance, which its user may write to.
pub(super) fn bind(path: &Path, uid: u32) -> io::Result<UnixDatagram> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixDatagram::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    chown(path, Some(uid), None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The socket that an earlier supervisor made for a process, which that holds for us: what it
/// said meanwhile is in it. None: it has closed it.
pub(super) fn held_by(process: impl AsFd, path: &Path) -> Option<UnixDatagram> {
    let held: OwnedFd = pidfd_getfd(process, NOTIFY, PidfdGetfdFlags::empty()).ok()?;
    let socket = UnixDatagram::from(held);
    // By now it may be anything.
    let address = socket.local_addr().ok()?;
    (address.as_pathname() == Some(path) && path.exists()).then_some(socket)
}

/// What was said since this was last asked.
pub(super) fn listen(socket: &UnixDatagram) -> Vec<Heard> {
    let mut buffer = [0; LONGEST];
    let mut heard = Vec::new();
    for _ in 0..AT_ONCE {
        let Ok(len) = socket.recv(&mut buffer) else {
            break;
        };
        heard.extend(parse(&buffer[..len]));
    }
    heard
}

/// What matters of a message; anything else is left out.
fn parse(message: &[u8]) -> impl Iterator<Item = Heard> {
    message
        .split(|&byte| byte == b'\n')
        .filter_map(|line| match line {
            b"READY=1" => Some(Heard::Ready),
            b"WATCHDOG=1" => Some(Heard::Alive),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_matters_is_heard() {
        let heard: Vec<Heard> = parse(b"STATUS=up\nREADY=1\n\nWATCHDOG=1").collect();
        assert_eq!(heard, [Heard::Ready, Heard::Alive]);
    }

    proptest! {
        #[test]
        fn nothing_panics(message: Vec<u8>) {
            prop_assert!(parse(&message).count() <= message.len());
        }
    }
}
