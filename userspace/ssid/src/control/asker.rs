//! Who is at the other end of the socket.

use std::fs;

use ssi_vproc::procfs::Stat;
use tokio::net::UnixStream;

/// Whoever connected, as the kernel says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// The user; nobody's number if that is not known.
    pub(crate) user: u32,
    /// The group; nobody's number likewise.
    pub(crate) group: u32,
    /// The session of the program that connected, if it was there still.
    pub(crate) session: Option<u32>,
}

impl Asker {
    pub(super) fn of(stream: &UnixStream) -> Self {
        let peer = stream.peer_cred().ok();
        let pid = peer.as_ref().and_then(tokio::net::unix::UCred::pid);
        let stat = pid.and_then(|pid| fs::read(format!("/proc/{pid}/stat")).ok());
        Self {
            user: peer.map_or(u32::MAX, |peer| peer.uid()),
            group: peer.map_or(u32::MAX, |peer| peer.gid()),
            session: stat.and_then(|stat| Some(Stat::parse(&stat)?.sid)),
        }
    }
}
