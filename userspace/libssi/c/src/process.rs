//! Processes on any node, for C.

use std::collections::BTreeMap;
use std::ffi::{OsString, c_char, c_int};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::pid_t;
use libssi::{Cluster, Command, Cpid, Pid, Place};

use crate::fail::{Fail, Result, returned};
use crate::text::{string, strings};

/// The surrogates of what `rspawnvp` has started, by its clusterwide number, until they have
/// been waited for.
static SURROGATES: Mutex<BTreeMap<pid_t, pid_t>> = Mutex::new(BTreeMap::new());

fn surrogates() -> MutexGuard<'static, BTreeMap<pid_t, pid_t>> {
    SURROGATES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ssi_pid(pid: pid_t) -> pid_t {
    returned(process(pid).and_then(|pid| match pid {
        Pid::At(cpid) => Ok(number(cpid)),
        Pid::Here(pid) => Ok(number(Cluster::local().number(pid)?)),
    }))
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ssi_where(pid: pid_t) -> c_int {
    returned(process(pid).and_then(|pid| Ok(Cluster::local().find(pid)?.into())))
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ssi_kill(pid: pid_t, signal: c_int) -> c_int {
    let cluster = Cluster::local();
    returned(match pid {
        // One's own group, and everybody: as kill(2) has it here.
        // SAFETY: numbers only.
        0 | -1 => match unsafe { libc::kill(pid, signal) } {
            0 => Ok(0),
            _ => Err(Fail::last("kill")),
        },
        ..-1 => process(pid.saturating_neg())
            .and_then(|leader| Ok(cluster.kill_group(leader, signal)?))
            .map(|()| 0),
        _ => process(pid)
            .and_then(|pid| Ok(cluster.kill(pid, signal)?))
            .map(|()| 0),
    })
}

/// See `ssi.h`.
///
/// # Safety
/// `file` is a string, `argv` a list of strings that ends with NULL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn rexecvp(
    file: *const c_char,
    argv: *const *const c_char,
    node: c_int,
) -> c_int {
    // SAFETY: as the caller says.
    let command = unsafe { command(file, argv, node) };
    returned(command.and_then(|command| Err(command.exec().into())))
}

/// See `ssi.h`.
///
/// # Safety
/// `file` is a string, `argv` a list of strings that ends with NULL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn rspawnvp(
    file: *const c_char,
    argv: *const *const c_char,
    node: c_int,
) -> pid_t {
    // SAFETY: as the caller says.
    let command = unsafe { command(file, argv, node) };
    returned(command.and_then(|command| {
        let child = command.spawn()?;
        let pid = number(child.pid());
        // The kernel has given it.
        surrogates().insert(pid, child.surrogate().cast_signed());
        Ok(pid)
    }))
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ssi_surrogate(pid: pid_t) -> pid_t {
    let none = || Fail::new(libc::ECHILD, format!("{pid} was not started by rspawnvp"));
    returned(surrogates().get(&pid).copied().ok_or_else(none))
}

/// See `ssi.h`.
///
/// # Safety
/// `status` is NULL or has room.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ssi_waitpid(
    pid: pid_t,
    status: *mut c_int,
    options: c_int,
) -> pid_t {
    let waited = local(pid).and_then(|local| {
        let mut said = 0;
        // SAFETY: it writes one number.
        let ended = unsafe { libc::waitpid(local, &raw mut said, options) };
        if ended < 0 {
            return Err(Fail::last("waitpid"));
        }
        // SAFETY: NULL or room for one, the caller says.
        if let Some(status) = unsafe { status.as_mut() } {
            *status = said;
        }
        Ok(named(
            ended,
            libc::WIFEXITED(said) || libc::WIFSIGNALED(said),
        ))
    });
    returned(waited)
}

/// The child that stands here for a process.
fn local(pid: pid_t) -> Result<pid_t> {
    let Some(cpid) = u32::try_from(pid).ok().and_then(Cpid::of_number) else {
        // A process of this node, or one of waitpid's ways to say several.
        return Ok(pid);
    };
    let known = surrogates().get(&pid).copied();
    if let Some(surrogate) = known {
        return Ok(surrogate);
    }
    if Cluster::local().node()? == cpid.node() {
        return Ok(cpid.pid().cast_signed());
    }
    let why = format!("process {cpid} is no child of this one");
    Err(Fail::new(libc::ECHILD, why))
}

/// What a child that was waited for is called; 0 is nobody.
fn named(child: pid_t, over: bool) -> pid_t {
    let mut surrogates = surrogates();
    let found = surrogates
        .iter()
        .find(|(_, surrogate)| **surrogate == child);
    let Some(pid) = found.map(|(pid, _)| *pid) else {
        return child;
    };
    if over {
        surrogates.remove(&pid);
    }
    pid
}

fn process(pid: pid_t) -> Result<Pid> {
    let known = pid.to_string().parse();
    known.map_err(|why: libssi::NoPid| Fail::new(libc::ESRCH, why.to_string()))
}

fn number(cpid: Cpid) -> pid_t {
    // Node numbers end at 511 for this.
    cpid.number().cast_signed()
}

/// # Safety
/// `file` is a string, `argv` a list of strings that ends with NULL.
unsafe fn command(file: *const c_char, argv: *const *const c_char, node: c_int) -> Result<Command> {
    // SAFETY: as the caller says.
    let (file, args): (_, Vec<OsString>) = unsafe { (string(file)?, strings(argv)?) };
    let place = match u16::try_from(node) {
        Ok(0) => Place::Least,
        Ok(node) => Place::Node(node),
        Err(_) => return Err(Fail::new(libc::EINVAL, format!("there is no node {node}"))),
    };
    // What argv[0] says is the file's name on its node: it is found by that.
    Ok(Command::new(file).args(args.into_iter().skip(1)).on(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_called_what_they_were_started_as() {
        surrogates().insert(2 << 22 | 7, 4321);
        assert_eq!(local(2 << 22 | 7).ok(), Some(4321));
        assert_eq!(named(4321, false), 2 << 22 | 7);
        assert_eq!(ssi_surrogate(2 << 22 | 7), 4321);
        assert_eq!(named(4321, true), 2 << 22 | 7);
        assert_eq!(named(4321, true), 4321, "it has another name no more");
        assert_eq!((named(0, false), local(-1).ok()), (0, Some(-1)));
        assert_eq!(ssi_surrogate(2 << 22 | 7), -1);
    }

    #[test]
    fn what_is_no_process() {
        for pid in [0, -5, 1 << 22] {
            assert!(process(pid).is_err(), "{pid}");
        }
    }
}
