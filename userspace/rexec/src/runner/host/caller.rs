//! Who is at the other end of a UNIX socket, as the kernel says.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};

use crate::core::{Caller, Capabilities, Limit};

/// A descriptor of the process (Linux 6.5).
const SO_PEERPIDFD: i32 = 77;
/// Room for a file of /proc.
const LONG: usize = 8192;
/// Most groups that a process can have.
const GROUPS: usize = 65_536;

/// This process's user namespace, which it never leaves.
static OWN_USERS: OnceLock<Option<PathBuf>> = OnceLock::new();

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
    let status = read(&format!("/proc/{pid}/status"))?;
    // Asking the kernel for other users' would take CAP_SYS_RESOURCE.
    let limits = read(&format!("/proc/{pid}/limits"))?;
    let nice = nice(pid)?;
    let ours = OWN_USERS.get_or_init(|| fs::read_link("/proc/self/ns/user").ok());
    let theirs = fs::read_link(format!("/proc/{pid}/ns/user")).ok();
    let same_users = theirs.is_some() && theirs == *ours;
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
        nice,
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

/// A file of /proc, in one go: it is longer than what is tried first for a file that doesn't say
/// how long it is.
fn read(path: &str) -> io::Result<String> {
    let mut text = String::with_capacity(LONG);
    fs::File::open(path)?.read_to_string(&mut text)?;
    Ok(text)
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

/// How nice it is. −1 is a niceness as well as an error.
fn nice(pid: i32) -> io::Result<i32> {
    Errno::clear();
    // SAFETY: a system call on plain values.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, pid.cast_unsigned()) };
    match Errno::last() {
        error if nice == -1 && error != Errno::from_raw(0) => Err(error.into()),
        _ => Ok(nice),
    }
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
        // SAFETY: a system call on plain values.
        let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
        assert_eq!(caller.nice, nice);
    }

    proptest! {
        #[test]
        fn anything_is_taken(text in "(\\PC|\n){0,200}") {
            let _ = (capabilities(&text), limits_of(&text), field(&text, "Umask:"));
        }
    }
}
