//! Who is at the other end of the socket.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CapabilitySet, capabilities};
use ssi_vproc::procfs::Stat;
use tokio::net::UnixStream;

/// Whoever connected, as the kernel says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// The user; nobody's number if that is not known, or if it is a root that may not signal
    /// other users' processes: then it may not elsewhere either.
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
        let process = pid.and_then(Pid::from_raw);
        let stat = pid.and_then(|pid| fs::read(format!("/proc/{pid}/stat")).ok());
        Self {
            user: match peer {
                Some(peer) if peer.uid() != 0 || may_kill(process) => peer.uid(),
                _ => u32::MAX,
            },
            group: peer.map_or(u32::MAX, |peer| peer.gid()),
            session: stat.and_then(|stat| Some(Stat::parse(&stat)?.sid)),
        }
    }
}

/// Whether a process has CAP_KILL. One that can't be seen from here is of a process namespace
/// around this one, and believed.
fn may_kill(process: Option<Pid>) -> bool {
    let has = |process| {
        let sets = capabilities(Some(process));
        sets.is_ok_and(|sets| sets.effective.contains(CapabilitySet::KILL))
    };
    process.is_none_or(has)
}
