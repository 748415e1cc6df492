//! What processes say of themselves, as sd_notify(3) does.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use tokio::net::UnixDatagram;
use tokio::sync::mpsc::UnboundedSender;

use crate::core::{Heard, Id, Run};

/// The longest message that is read; what is behind is cut off.
const LONGEST: usize = 4096;

/// A socket for one run of an instance, which its user may write to.
pub(super) fn bind(path: &Path, uid: u32) -> io::Result<UnixDatagram> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixDatagram::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    chown(path, Some(uid), None)?;
    Ok(socket)
}

/// Tells what is said.
pub(super) async fn listen(
    socket: UnixDatagram,
    id: Id,
    run: Run,
    tell: UnboundedSender<(Id, Run, Heard)>,
) {
    let mut buffer = [0; LONGEST];
    while let Ok(len) = socket.recv(&mut buffer).await {
        for heard in parse(&buffer[..len]) {
            let _ = tell.send((id.clone(), run, heard));
        }
    }
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
