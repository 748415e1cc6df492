//! Who is at the other end of a UNIX socket, as the kernel says.

use std::fs;
use std::io::{self, ErrorKind};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};

use crate::core::{Caller, Capabilities, Limit};

/// A descriptor of the process (Linux 6.5).
const SO_PEERPIDFD: i32 = 77;
/// Most groups that a process can have.
const GROUPS: usize = 65_536;

/// The process that has connected.
///
/// # Errors
/// It can't be seen from here, or has ended.
pub(super) fn of(socket: impl AsFd) -> io::Result<Caller> {
    let peer = getsockopt(&socket, sockopt::PeerCredentials)?;
    let pid = peer.pid();
    if pid <= 0 {
        return Err(io::Error::other(
            "it is in a process namespace that can't be seen from here",
        ));
    }
    let descriptor = pidfd(&socket);
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let limits = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let same_users = fs::read_link(format!("/proc/{pid}/ns/user"))
        .is_ok_and(|theirs| fs::read_link("/proc/self/ns/user").is_ok_and(|ours| ours == theirs));
    // All that was read is of whoever has connected only if that one is still there.
    if descriptor.is_some_and(|process| has_ended(&process)) {
        return Err(io::Error::other("it has ended"));
    }
    let mut capabilities = capabilities(&status).ok_or(ErrorKind::InvalidData)?;
    if !same_users {
        // Capabilities in a user namespace of its own are none here.
        capabilities = Capabilities {
            bounding: capabilities.bounding,
            ..Capabilities::default()
        };
    }
    Ok(Caller {
        uid: peer.uid(),
        gid: peer.gid(),
        groups: groups(&socket)?,
        capabilities,
        no_new_privs: field(&status, "NoNewPrivs:") == Some("1"),
        limits: limits_of(&limits),
        umask: field(&status, "Umask:")
            .and_then(|mask| u32::from_str_radix(mask, 8).ok())
            .unwrap_or(0o022),
        nice: nice(&stat).unwrap_or(0),
    })
}

fn pidfd(socket: &impl AsFd) -> Option<OwnedFd> {
    let mut found: i32 = -1;
    let mut length = libc::socklen_t::try_from(size_of::<i32>()).ok()?;
    // SAFETY: the option writes one number of this length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            (&raw mut found).cast(),
            &raw mut length,
        )
    };
    // SAFETY: the kernel has just made the descriptor for us.
    (result == 0 && found >= 0).then(|| unsafe { OwnedFd::from_raw_fd(found) })
}

/// A process's descriptor becomes readable when it ends.
fn has_ended(process: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO) != Ok(0)
}

/// Its supplementary groups when it connected (`SO_PEERGROUPS`, Linux 4.13).
fn groups(socket: &impl AsFd) -> io::Result<Vec<u32>> {
    let mut found = vec![0_u32; 64];
    loop {
        let bytes = found.len() * size_of::<u32>();
        let mut length = libc::socklen_t::try_from(bytes).map_err(io::Error::other)?;
        // SAFETY: the option writes numbers, not more bytes than the length says.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                found.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / size_of::<u32>();
        if result == 0 {
            found.truncate(count);
            return Ok(found);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= found.len() || count > GROUPS {
            return Err(error);
        }
        found.resize(count, 0);
    }
}

/// The first word of a line of `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()
}

fn capabilities(status: &str) -> Option<Capabilities> {
    let set = |name| u64::from_str_radix(field(status, name)?, 16).ok();
    Some(Capabilities {
        permitted: set("CapPrm:")?,
        bounding: set("CapBnd:")?,
        inheritable: set("CapInh:")?,
    })
}

/// `/proc/PID/limits`: a name of several words, what holds, how far it may be raised.
fn limits_of(text: &str) -> Vec<Limit> {
    const NAMES: [&str; 16] = [
        "Max cpu time",
        "Max file size",
        "Max data size",
        "Max stack size",
        "Max core file size",
        "Max resident set",
        "Max processes",
        "Max open files",
        "Max locked memory",
        "Max address space",
        "Max file locks",
        "Max pending signals",
        "Max msgqueue size",
        "Max nice priority",
        "Max realtime priority",
        "Max realtime timeout",
    ];
    let value = |word: &str| match word {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    };
    let limit = |(resource, name): (u8, &str)| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let mut words = line.split_whitespace();
        Some(Limit {
            resource,
            soft: value(words.next()?)?,
            hard: value(words.next()?)?,
        })
    };
    (0..).zip(NAMES).filter_map(limit).collect()
}

/// Field 19 of `/proc/PID/stat`, counted after the name, which may have anything in it.
fn nice(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(16)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use nix::unistd::{getegid, geteuid, getgroups};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kernel_says_who_we_are() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        let caller = of(&one).expect("it is us");
        assert_eq!(caller.uid, geteuid().as_raw());
        assert_eq!(caller.gid, getegid().as_raw());
        let groups: Vec<u32> = getgroups()
            .expect("groups")
            .iter()
            .map(|g| g.as_raw())
            .collect();
        assert_eq!(caller.groups, groups);
        assert_eq!(caller.limits.len(), 16);
        let files = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE);
        let files = files.expect("a limit");
        let said = caller
            .limits
            .iter()
            .find(|l| l.resource == libc::RLIMIT_NOFILE as u8);
        assert_eq!(said.map(|l| (l.soft, l.hard)), Some(files));
    }

    #[test]
    fn a_strange_name_hides_nothing() {
        let stat = "7 (a) b 1) S 1 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 -5 1 0 9 0 0";
        assert_eq!(nice(stat), Some(-5));
    }

    proptest! {
        #[test]
        fn anything_is_taken(text in "(\\PC|\n){0,200}") {
            let _ = (capabilities(&text), limits_of(&text), nice(&text), field(&text, "Umask:"));
        }
    }
}
