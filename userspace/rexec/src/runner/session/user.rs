//! Becoming the user whose command it is: with their rights, and never with more.

use std::io;

use nix::unistd::{Gid, Uid, getresgid, getresuid, setgroups, setresgid, setresuid, setuid};
use rustix::process::getgroups;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::limits;
use crate::core::{Caller, Limit};

/// Does it, and looks whether it is so. The limits that the command has to be given are others
/// than this process's.
///
/// # Errors
/// It can't be done: then nothing must be run.
pub(super) fn become_caller(caller: &Caller) -> io::Result<Vec<Limit>> {
    let mut limits = caller.limits.clone();
    limits.retain(limits::leave_room);
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
    check(uid, gid, &groups)?;
    Ok(limits)
}

/// Whatever is executed from now on can't have other capabilities than these.
fn drop_beyond(bounds: CapabilitySet) -> io::Result<()> {
    let numbered = (0..64).map(|number| CapabilitySet::from_bits_retain(1 << number));
    for capability in numbered.filter(|capability| !bounds.contains(*capability)) {
        match capability_is_in_bounding_set(capability) {
            Ok(true) => remove_capability_from_bounding_set(capability)?,
            Ok(false) => {}
            // The kernel has none of this number, nor of any after it.
            Err(_) => break,
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
    let sorted = |mut all: Vec<u32>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    let wanted = groups.iter().map(|group| group.as_raw()).collect();
    let found = getgroups()?.iter().map(|group| group.as_raw()).collect();
    let same = [users.real, users.effective, users.saved]
        .iter()
        .all(|found| *found == uid)
        && [grouped.real, grouped.effective, grouped.saved]
            .iter()
            .all(|found| *found == gid)
        && sorted(found) == sorted(wanted);
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
