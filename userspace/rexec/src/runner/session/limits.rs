//! Limits: the command has its caller's, and the session, which reads and writes for it and
//! must not be killed in its place, has its own.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::core::Limit;

/// Has a limit of this process be one below which the caller's can be set, once this is the
/// caller. What can't be raised that far here stays as it is. Whether the caller's is another.
pub(super) fn leave_room(limit: &Limit) -> bool {
    let Some(resource) = resource(limit.resource) else {
        return false;
    };
    let Ok((soft, hard)) = getrlimit(resource) else {
        return true;
    };
    if hard < limit.hard {
        let _ = setrlimit(resource, soft, limit.hard);
    }
    (soft, hard) != (limit.soft, limit.hard)
}

/// Sets the caller's limits, as far as they can be, for whatever is executed next.
/// Async-signal-safe.
///
/// # Errors
/// The kernel takes not even what this process has.
pub(super) fn set(limits: &[Limit]) -> io::Result<()> {
    for limit in limits {
        let Some(resource) = resource(limit.resource) else {
            continue;
        };
        let (_, most) = getrlimit(resource)?;
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
