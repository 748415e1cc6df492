//! Becoming the user whose command it is: with their rights, and never with more.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{
    Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid, setuid,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::core::{Caller, Limit};

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
    let bounds = CapabilitySet::from_bits_retain(caller.bounds());
    drop_beyond(bounds)?;
    setresuid(uid, uid, uid)?;
    if uid.is_root() {
        hold_only(caller, bounds)?;
    }
    if caller.no_new_privs {
        set_no_new_privs(true)?;
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

/// Whatever is executed from now on can't have other capabilities than these.
fn drop_beyond(bounds: CapabilitySet) -> io::Result<()> {
    for capability in (0..64).map(|number| CapabilitySet::from_bits_retain(1 << number)) {
        // The kernel says which it has.
        let is_set = capability_is_in_bounding_set(capability);
        if is_set == Ok(true) && !bounds.contains(capability) {
            remove_capability_from_bounding_set(capability)?;
        }
    }
    Ok(())
}

/// Root that has less than all capabilities keeps less.
fn hold_only(caller: &Caller, bounds: CapabilitySet) -> io::Result<()> {
    let permitted = capabilities(None)?.permitted & bounds;
    let inheritable = CapabilitySet::from_bits_retain(caller.capabilities.inheritable);
    let sets = CapabilitySets {
        effective: permitted,
        permitted,
        inheritable: inheritable & permitted,
    };
    Ok(set_capabilities(None, sets)?)
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
            && capabilities(None)
                .is_ok_and(|sets| sets.permitted.is_empty() && sets.effective.is_empty());
    if same && cleared {
        Ok(())
    } else {
        Err(io::Error::other("the session has not become the user"))
    }
}
