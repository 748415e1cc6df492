//! Holding processes by descriptors, and how they ended.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use nix::request_code_readwrite;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::core::{Exit, Main};

/// Takes hold of a process, if it is still the one that was meant.
pub(crate) fn hold(main: Main) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = i32::try_from(main.pid).ok().and_then(Pid::from_raw) else {
        return Ok(None);
    };
    let held = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(held) => held,
        Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Whoever has the pid now is held; only whoever has had it since then is meant.
    Ok((start(main.pid) == Some(main.start)).then_some(held))
}

/// When a process was forked, in clock ticks since boot.
pub(crate) fn start(pid: u32) -> Option<u64> {
    stat(pid, 22)?.parse().ok()
}

/// Its parent.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    stat(pid, 4)?.parse().ok()
}

/// A field of /proc/PID/stat, by its number in proc(5), behind the name, which may have
/// anything in it.
fn stat(pid: u32, field: usize) -> Option<String> {
    // The kernel writes it in one go, for each read anew.
    let mut line = [0; 1024];
    let len = fs::File::open(format!("/proc/{pid}/stat"))
        .ok()?
        .read(&mut line)
        .ok()?;
    let stat = String::from_utf8_lossy(&line[..len]);
    let (_, behind) = stat.rsplit_once(") ")?;
    behind.split(' ').nth(field - 3).map(str::to_owned)
}

/// How a process that has ended ended: as its parent is told, or as anybody else is, by the
/// kernel (6.15) once its parent has taken the exit code, by /proc before that.
pub(crate) fn exit(process: &OwnedFd, main: Main) -> Exit {
    match waitid(
        WaitId::PidFd(process.as_fd()),
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
    ) {
        Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Code(low(code)),
            (None, Some(signal)) => Exit::Signal(low(signal)),
            (None, None) => Exit::Unknown,
        },
        _ => seen_by_kernel(process.as_fd())
            .or_else(|| not_yet_taken(main))
            .unwrap_or(Exit::Unknown),
    }
}

/// Of a wait status, eight bits.
const fn low(number: i32) -> u8 {
    (number & 0xff) as u8
}

/// `struct pidfd_info` of linux/pidfd.h, as long as it was at first.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

/// `PIDFD_INFO_EXIT`.
const INFO_EXIT: u64 = 1 << 3;

fn seen_by_kernel(process: BorrowedFd<'_>) -> Option<Exit> {
    let mut info = PidfdInfo {
        mask: INFO_EXIT,
        ..PidfdInfo::default()
    };
    let request = request_code_readwrite!(0xff, 11, size_of::<PidfdInfo>());
    // SAFETY: the kernel writes as many bytes as the request says, which are there.
    let done = unsafe { libc::ioctl(process.as_raw_fd(), request, &raw mut info) };
    if done < 0 || info.mask & INFO_EXIT == 0 {
        return None;
    }
    Some(Exit::of_status(info.exit_code))
}

/// A process that has ended stays in /proc until its parent has taken its exit code.
fn not_yet_taken(main: Main) -> Option<Exit> {
    let ended = stat(main.pid, 3)? == "Z";
    let status = stat(main.pid, 52)?.trim_end().parse().ok()?;
    // What was read is about that process if it is still there.
    (ended && start(main.pid)? == main.start).then(|| Exit::of_status(status))
}
