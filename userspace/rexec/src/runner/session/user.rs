//! Becoming the user whose command it is: with their rights, and never with more.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{
    Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid, setuid,
};

use crate::core::{Caller, Limit};

/// The version of capset(2) with sets of 64 bits.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Does it, and looks whether it is so.
///
/// # Errors
/// It can't be done: then nothing must be run.
pub(super) fn become_caller(caller: &Caller) -> io::Result<()> {
    caller.limits.iter().try_for_each(limit)?;
    // SAFETY: a system call on plain values.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, caller.nice) };
    let (uid, gid) = (Uid::from_raw(caller.uid), Gid::from_raw(caller.gid));
    let groups: Vec<Gid> = caller
        .groups
        .iter()
        .map(|group| Gid::from_raw(*group))
        .collect();
    setgroups(&groups)?;
    setresgid(gid, gid, gid)?;
    drop_beyond(caller.bounds())?;
    setresuid(uid, uid, uid)?;
    if uid.is_root() {
        hold_only(caller)?;
    }
    if caller.no_new_privs {
        prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    }
    check(uid, gid, &groups)
}

/// A limit that can't be raised that far here is left as far as it can be.
fn limit(limit: &Limit) -> io::Result<()> {
    let Some(resource) = resource(limit.resource) else {
        return Ok(());
    };
    let (_, most) = getrlimit(resource)?;
    if setrlimit(resource, limit.soft, limit.hard).is_err() {
        setrlimit(resource, limit.soft.min(most), limit.hard.min(most))?;
    }
    Ok(())
}

fn resource(number: u8) -> Option<Resource> {
    let all = [
        Resource::RLIMIT_CPU,
        Resource::RLIMIT_FSIZE,
        Resource::RLIMIT_DATA,
        Resource::RLIMIT_STACK,
        Resource::RLIMIT_CORE,
        Resource::RLIMIT_RSS,
        Resource::RLIMIT_NPROC,
        Resource::RLIMIT_NOFILE,
        Resource::RLIMIT_MEMLOCK,
        Resource::RLIMIT_AS,
        Resource::RLIMIT_LOCKS,
        Resource::RLIMIT_SIGPENDING,
        Resource::RLIMIT_MSGQUEUE,
        Resource::RLIMIT_NICE,
        Resource::RLIMIT_RTPRIO,
        Resource::RLIMIT_RTTIME,
    ];
    all.into_iter()
        .find(|known| *known as u32 == u32::from(number))
}

fn prctl(what: i32, value: u64) -> io::Result<()> {
    // SAFETY: the operations that are used here take plain values.
    let result = unsafe { libc::prctl(what, value, 0, 0, 0) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whatever is executed from now on can't have other capabilities than these.
fn drop_beyond(bounds: u64) -> io::Result<()> {
    for capability in 0..64 {
        // The kernel says which it has.
        let is_set = prctl_read(libc::PR_CAPBSET_READ, capability);
        if is_set == Some(true) && bounds & (1 << capability) == 0 {
            prctl(libc::PR_CAPBSET_DROP, capability)?;
        }
    }
    Ok(())
}

fn prctl_read(what: i32, value: u64) -> Option<bool> {
    // SAFETY: plain values.
    match unsafe { libc::prctl(what, value, 0, 0, 0) } {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Root that has less than all capabilities keeps less.
fn hold_only(caller: &Caller) -> io::Result<()> {
    let own = sets()?;
    let halves = |set: u64| {
        let bytes = set.to_le_bytes();
        let half = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        [half(0), half(4)]
    };
    let (permitted, inheritable) = (
        halves(caller.bounds()),
        halves(caller.capabilities.inheritable),
    );
    let mut wanted = own;
    for (at, sets) in wanted.iter_mut().enumerate() {
        sets.permitted &= permitted[at];
        sets.effective = sets.permitted;
        sets.inheritable = inheritable[at] & sets.permitted;
    }
    let header = Header {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    // SAFETY: both structures are as this version has them, and live as long as the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, wanted.as_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn sets() -> io::Result<[Sets; 2]> {
    let mut header = Header {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    let mut sets = [Sets::default(); 2];
    // SAFETY: both structures are as this version has them, and live as long as the call.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(sets)
}

/// Trusts nothing of the above.
fn check(uid: Uid, gid: Gid, groups: &[Gid]) -> io::Result<()> {
    let (users, grouped) = (getresuid()?, getresgid()?);
    let sorted = |groups: &[Gid]| {
        let mut all: Vec<_> = groups.iter().map(|group| group.as_raw()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let same = [users.real, users.effective, users.saved]
        .iter()
        .all(|found| *found == uid)
        && [grouped.real, grouped.effective, grouped.saved]
            .iter()
            .all(|found| *found == gid)
        && sorted(&getgroups()?) == sorted(groups);
    let cleared = uid.is_root()
        || setuid(Uid::from_raw(0)).is_err()
            && sets()?
                .iter()
                .all(|sets| sets.permitted == 0 && sets.effective == 0);
    if same && cleared {
        Ok(())
    } else {
        Err(io::Error::other("the session has not become the user"))
    }
}
